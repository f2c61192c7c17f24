import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compare, describePath } from '../diff/compare.ts'
import { readSchemas, shapeOf } from '../diff/schema.ts'
import { unknownShape } from '../diff/shape.ts'
import type { Json, JsonMap } from '../value.ts'
import { classifier } from './classify.ts'
import { builtinFieldRules, rulesAgainst } from './rules.ts'

const kubernetes: { schemas: object } = JSON.parse(
  readFileSync(new URL('../../sandbox/kubernetes.json', import.meta.url), 'utf8'),
)
const schemas = readSchemas({ components: kubernetes })

/** How each field is classed in which two objects differ. */
function said(source: JsonMap, target: JsonMap, names: string[] = []): string[] {
  const shape = shapeOf(schemas, String(source.apiVersion), String(source.kind)) ?? unknownShape
  const classify = classifier({
    source,
    target,
    shape,
    rules: [...rulesAgainst(names), ...builtinFieldRules],
  })
  const differences = compare({ base: undefined, local: target, remote: source }, shape)
  return differences.map(({ path }) => {
    const { nature, reason } = classify(path)
    return `${describePath(path)}: ${nature} (${reason})`
  })
}

function deployment(container: JsonMap, spec: JsonMap = {}): JsonMap {
  const template = { spec: { containers: [{ name: 'web', ...container }] } }
  return { apiVersion: 'apps/v1', kind: 'Deployment', spec: { template, ...spec } }
}

function natureOf(source: JsonMap, target: JsonMap, names?: string[]): string {
  return said(source, target, names)
    .map((text) => text.replace(/^.*: (\w+) .*$/, '$1'))
    .join()
}

describe('of a container', () => {
  test.each<[string, JsonMap, JsonMap, string]>([
    ['its image', { image: 'web:2' }, { image: 'web:1' }, 'portable'],
    ['its image by digest', { image: 'web@sha256:1' }, { image: 'web:1' }, 'portable'],
    ['its image in one registry', { image: 'a.example/web:2' }, { image: 'a.example/web:1' }, 'portable'],
    ['its image from two registries', { image: 'a.example/web:2' }, { image: 'b.example/web:1' }, 'bound'],
    ['a command', { command: ['a', 'b'] }, { command: ['a'] }, 'portable'],
    ['arguments', { args: ['--verbose'] }, {}, 'portable'],
    [
      'an address as an argument',
      { args: ['--db=postgres://a/b'] },
      { args: ['--db=postgres://b/b'] },
      'bound',
    ],
    [
      'arguments beside an address that both have',
      { args: ['--db=postgres://a/b', '-v'] },
      { args: ['--db=postgres://a/b'] },
      'portable',
    ],
    [
      'resources',
      { resources: { limits: { cpu: '2' } } },
      { resources: { limits: { cpu: '1' } } },
      'portable',
    ],
    ['a probe', { livenessProbe: { httpGet: { path: '/live', port: 80 } } }, {}, 'portable'],
    [
      "a probe's host",
      { livenessProbe: { httpGet: { host: 'a' } } },
      { livenessProbe: { httpGet: { host: 'b' } } },
      'bound',
    ],
    ['a port', { ports: [{ containerPort: 80, protocol: 'TCP' }] }, {}, 'portable'],
  ])('%s', (_, source, target, nature) => {
    expect(natureOf(deployment(source), deployment(target))).toBe(nature)
  })

  test.each<[string, JsonMap, string]>([
    ['a plain value', { name: 'LOG_LEVEL', value: 'debug' }, 'portable'],
    ['a number', { name: 'WORKERS', value: '8' }, 'portable'],
    ['a version', { name: 'API_VERSION', value: 'v1.2.3' }, 'portable'],
    ['a path', { name: 'CONF', value: '/etc/web/conf' }, 'portable'],
    ['a URL', { name: 'X', value: 'https://a.example/x' }, 'bound'],
    ['a name with dots', { name: 'X', value: 'db.staging.svc' }, 'bound'],
    ['an IP address', { name: 'X', value: '10.1.2.3' }, 'bound'],
    ['host and port', { name: 'X', value: 'redis:6379' }, 'bound'],
    ['what is called like a host', { name: 'DB_HOST', value: 'db' }, 'bound'],
    ['what is called like a place', { name: 'NODE_ENV', value: 'staging' }, 'bound'],
    ['what is called like a secret', { name: 'DB_PASSWORD', value: 'x' }, 'bound'],
    ['a secret', { name: 'X', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }, 'bound'],
    ['a config map', { name: 'X', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }, 'portable'],
  ])('env: %s', (_, entry, nature) => {
    const none = deployment({ env: [{ name: 'A', value: 'b' }] })
    const has = deployment({ env: [{ name: 'A', value: 'b' }, entry] })
    expect(natureOf(has, none)).toBe(nature)
    expect(natureOf(none, has)).toBe(nature)
  })

  test('a value that names one of the places is not for the other', () => {
    const [source, target] = ['staging-db', 'prod-db'].map((value) =>
      deployment({ env: [{ name: 'X', value }] }),
    )
    expect(natureOf(source ?? {}, target ?? {})).toBe('portable')
    expect(natureOf(source ?? {}, target ?? {}, ['staging', 'prod'])).toBe('bound')
  })

  test('a whole new one is bound by what is bound in it, and says by what', () => {
    const sidecar: JsonMap = { name: 'log', image: 'log:1' }
    const has = (container: JsonMap) =>
      deployment({}, { template: { spec: { containers: [{ name: 'web' }, container] } } })
    expect(natureOf(has(sidecar), deployment({}))).toBe('portable')
    expect(said(has({ ...sidecar, env: [{ name: 'TO', value: 'http://logs' }] }), deployment({}))).toEqual([
      'spec.template.spec.containers[name=log]: bound (its value looks like an address)',
    ])
  })
})

describe('of objects', () => {
  const pod = (spec: JsonMap) => deployment({}, { template: { spec } })
  const service = (spec: JsonMap) => ({ apiVersion: 'v1', kind: 'Service', spec })
  const annotated = (name: string) => ({ ...service({}), metadata: { annotations: { [name]: 'x' } } })
  const labelled = (name: string) => ({ ...service({}), metadata: { labels: { [name]: 'x' } } })
  const ingress = (host: string, path: string) => ({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
    spec: { rules: [{ host, http: { paths: [{ path, pathType: 'Prefix' }] } }] },
  })

  test.each<[string, JsonMap, JsonMap, string]>([
    ['replicas', deployment({}, { replicas: 1 }), deployment({}, { replicas: 9 }), 'bound'],
    ['a rollout strategy', deployment({}, { strategy: { type: 'Recreate' } }), deployment({}), 'portable'],
    ['a node selector', pod({ nodeSelector: { disk: 'ssd' } }), pod({}), 'bound'],
    ['tolerations', pod({ tolerations: [{ key: 'a' }] }), pod({}), 'bound'],
    [
      'a volume of a secret',
      pod({ volumes: [{ name: 'a', secret: { secretName: 'b' } }] }),
      pod({ volumes: [] }),
      'bound',
    ],
    [
      'a volume of a config map',
      pod({ volumes: [{ name: 'a', configMap: { name: 'b' } }] }),
      pod({ volumes: [] }),
      'portable',
    ],
    ['what no rule knows of pods', pod({ hostNetwork: true }), pod({}), 'unclassed'],
    ["a service's type", service({ type: 'NodePort' }), service({ type: 'ClusterIP' }), 'bound'],
    [
      "a service's selector",
      service({ selector: { app: 'a' } }),
      service({ selector: { app: 'b' } }),
      'portable',
    ],
    [
      "a cloud controller's annotation",
      annotated('service.beta.kubernetes.io/aws-load-balancer-type'),
      service({}),
      'bound',
    ],
    ['another annotation', annotated('a.example/b'), service({}), 'unclassed'],
    ['a mark of a tool', labelled('argocd.argoproj.io/instance'), service({}), 'bound'],
    ['a label', labelled('team'), service({}), 'unclassed'],
    ['a host', ingress('a.example', '/'), ingress('b.example', '/'), 'bound'],
    ['a path behind the same host', ingress('a.example', '/'), ingress('a.example', '/b'), 'portable'],
    ['a storage class', { kind: 'X', spec: { storageClassName: 'a' } }, { kind: 'X', spec: {} }, 'bound'],
    [
      'values of a secret',
      { apiVersion: 'v1', kind: 'Secret', data: { a: 'b' } },
      { apiVersion: 'v1', kind: 'Secret' },
      'bound',
    ],
    [
      'a kind that nobody knows',
      { kind: 'X', spec: { size: 1 } },
      { kind: 'X', spec: { size: 2 } },
      'unclassed',
    ],
  ])('%s', (_, source, target, nature) => {
    expect(natureOf(source, target)).toBe(nature)
  })

  test('a rule that names a kind is for no other', () => {
    const spec = { rules: [1] }
    expect(natureOf({ kind: 'X', apiVersion: 'v1', spec }, { kind: 'X', apiVersion: 'v1' })).toBe('unclassed')
  })

  test('an item of a list is known by its keys', () => {
    const of = (port: Json) => service({ ports: [{ port: 80, protocol: 'TCP', targetPort: port }] })
    expect(said(of(1), of(2))).toEqual([
      'spec.ports[port=80,protocol=TCP].targetPort: portable (how it is reached inside)',
    ])
  })
})
