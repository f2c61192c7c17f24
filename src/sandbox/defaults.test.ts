import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { schemaOfKind } from './apply/examples.ts'
import { withDefaults } from './defaults.ts'
import { isObject, type KubeObject } from './object.ts'
import type { ResourceInfo } from './schema.ts'
import { validate } from './validate.ts'

interface Recorded {
  readonly given: KubeObject
  readonly answered: KubeObject
}

/**
 * What Kubernetes 1.36.3 answered to the creation of objects, without what it makes up (uids, addresses, status) and what its admission plugins add.
 */
const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL('defaults.recorded.json', import.meta.url), 'utf8'),
)

function complete(object: KubeObject): KubeObject {
  const { apiVersion, kind } = object
  const info = { group: '', version: apiVersion, kind } as ResourceInfo
  const of = { info, schema: schemaOfKind(apiVersion, kind), custom: false }
  return withDefaults(validate(object, of, 'strict').object)
}

/** Without what the server makes up. */
function asRecorded({ status: _, ...object }: KubeObject): unknown {
  const { spec } = object
  if (object.kind === 'Namespace') return { ...object, spec: undefined }
  if (object.kind !== 'Pod' || !isObject(spec)) return object
  const { serviceAccount: _a, serviceAccountName: _n, tolerations: _t, ...rest } = spec
  return { ...object, spec: rest }
}

describe('an object gets the defaults that a real server gives it', () => {
  test.each(
    recorded.map(({ given, answered }, index) => ({ name: `${index} ${given.kind}`, given, answered })),
  )('$name', ({ given, answered }) => {
    expect(asRecorded(complete(given))).toEqual(answered)
  })
})

test('defaults of defaults change nothing', () => {
  for (const { given } of recorded) {
    const once = complete(given)
    expect(complete(once)).toEqual(once)
  }
})

test('the service account has both its names, as it always had', () => {
  const spec = { serviceAccountName: 'a', containers: [] }
  const pod = complete({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec })
  expect(pod.spec).toMatchObject({ serviceAccountName: 'a', serviceAccount: 'a' })
})

test('a Service without affinity has no configuration of it', () => {
  const spec = { sessionAffinity: 'None', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }
  const service = complete({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec })
  expect(service.spec).not.toHaveProperty('sessionAffinityConfig')
})
