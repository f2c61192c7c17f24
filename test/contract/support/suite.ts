import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, type TestContext, test } from 'vitest'
import type { Feature } from './advertised.ts'
import { type Answer, Client } from './client.ts'
import type { Fields } from './json.ts'
import { readKubeconfig } from './kubeconfig.ts'
import { became } from './watch.ts'

declare module 'vitest' {
  export interface TaskMeta {
    needs?: readonly string[]
  }
}

/** The server under test, as it speaks of itself. */
export const server = inject('server')

export const client = new Client(readKubeconfig(inject('kubeconfig')))

/** Whether the server advertises a feature. */
export function has(feature: Feature): boolean {
  return server.features.includes(feature)
}

/** `test` for what only some servers have: skipped, with the reason in the name, where one of them is lacking. */
export function needing(...needs: Feature[]) {
  return testsFor(
    needs,
    needs.filter((feature) => !has(feature)),
  )
}

/** The same for tests with the real kubectl, which not every machine has. */
export function withKubectl(...needs: Feature[]) {
  const lacking: string[] = needs.filter((feature) => !has(feature))
  return testsFor([...needs, 'kubectl'], inject('kubectl') ? lacking : [...lacking, 'kubectl'])
}

function testsFor(needs: readonly string[], lacking: readonly string[]) {
  return (name: string, body: (context: TestContext) => Promise<void>) => {
    const full = lacking.length === 0 ? name : `${name} [lacking: ${lacking.join(', ')}]`
    test.skipIf(lacking.length > 0)(full, { meta: { needs } }, body)
  }
}

/** A namespace for the tests of a file. `path('pods')` is a collection in it. */
export interface Space {
  readonly name: string
  path(plural: string, group?: string): string
}

export function useNamespace(): Space {
  let name = ''
  beforeAll(async () => {
    name = await makeNamespace()
  })
  afterAll(async () => {
    await client.ask(`/api/v1/namespaces/${name}`, { method: 'DELETE' })
  })
  return {
    get name() {
      return name
    },
    path: (plural, group = 'v1') => pathOf(name, plural, group),
  }
}

/** Makes a namespace that is ready to have pods. */
export async function makeNamespace(): Promise<string> {
  const name = `contract-${randomBytes(4).toString('hex')}`
  await client.create('/api/v1/namespaces', { metadata: { name } })
  if (has('controllers')) {
    const accounts = pathOf(name, 'serviceaccounts', 'v1')
    const ready = ({ secrets }: Fields) => server.minor >= 24 || secrets !== undefined
    await became(client, { collection: accounts, name: 'default' }, ready)
  }
  return name
}

export function pathOf(namespace: string, plural: string, group: string): string {
  return `${group === 'v1' ? '/api/v1' : `/apis/${group}`}/namespaces/${namespace}/${plural}`
}

/** The body of a refusal. */
export function status(code: number, reason: string, message: unknown, details?: Fields): Fields {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  }
}

/** Checks that a request was refused, and how. */
export function expectRefusal(answer: Answer, expected: Fields): void {
  expect(answer.body).toEqual(expected)
  expect(answer.code).toBe(expected.code)
}
