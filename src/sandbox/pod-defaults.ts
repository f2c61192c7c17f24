import type { JsonObject } from './object.ts'

/**
 * Sets what is not set. `containers[]` goes into each item; nothing is set below what is not there. With `!` the value replaces
 * what there is, or removes it.
 */
export type Rule = readonly [
  path: string,
  value: unknown | ((owner: JsonObject, root: JsonObject) => unknown),
]

const image = (owner: JsonObject, field: string) => {
  const [name = '', digest] = String(owner[field] ?? '').split('@')
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent'
}

function probe(path: string): Rule[] {
  return [
    [`${path}.timeoutSeconds`, 1],
    [`${path}.periodSeconds`, 10],
    [`${path}.successThreshold`, 1],
    [`${path}.failureThreshold`, 3],
    ...httpGet(path),
    [`${path}.grpc.service`, ''],
  ]
}

function httpGet(path: string): Rule[] {
  return [
    [`${path}.httpGet.path`, '/'],
    [`${path}.httpGet.scheme`, 'HTTP'],
  ]
}

function container(path: string): Rule[] {
  return [
    [`${path}.imagePullPolicy`, (owner: JsonObject) => image(owner, 'image')],
    [`${path}.terminationMessagePath`, '/dev/termination-log'],
    [`${path}.terminationMessagePolicy`, 'File'],
    [`${path}.ports[].protocol`, 'TCP'],
    [`${path}.env[].valueFrom.fieldRef.apiVersion`, 'v1'],
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => probe(`${path}.${name}`)),
    ...['postStart', 'preStop'].flatMap((name) => httpGet(`${path}.lifecycle.${name}`)),
  ]
}

function volumes(path: string): Rule[] {
  return [
    [`${path}[].emptyDir`, (volume: JsonObject) => (Object.keys(volume).length === 1 ? {} : undefined)],
    [`${path}[].image.pullPolicy`, (source: JsonObject) => image(source, 'reference')],
    ...['secret', 'configMap', 'downwardAPI', 'projected'].map(
      (kind): Rule => [`${path}[].${kind}.defaultMode`, 0o644],
    ),
    [`${path}[].hostPath.type`, ''],
    [`${path}[].downwardAPI.items[].fieldRef.apiVersion`, 'v1'],
    [`${path}[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion`, 'v1'],
    [`${path}[].projected.sources[].serviceAccountToken.expirationSeconds`, 3600],
  ]
}

/** What a pod and a template of one are given. */
export function podSpec(path: string): Rule[] {
  return [
    [`${path}.dnsPolicy`, 'ClusterFirst'],
    [`${path}.restartPolicy`, 'Always'],
    [`${path}.securityContext`, {}],
    [`${path}.terminationGracePeriodSeconds`, 30],
    [`${path}.schedulerName`, 'default-scheduler'],
    [`${path}.serviceAccountName`, ({ serviceAccount }: JsonObject) => serviceAccount],
    [`${path}.serviceAccount`, ({ serviceAccountName }: JsonObject) => serviceAccountName],
    ...['containers[]', 'initContainers[]', 'ephemeralContainers[]'].flatMap((name) =>
      container(`${path}.${name}`),
    ),
    ...volumes(`${path}.volumes`),
  ]
}

/** What a Job is given. */
export const job: Rule[] = [
  ['spec.completions', ({ parallelism }: JsonObject) => (parallelism === undefined ? 1 : undefined)],
  ['spec.parallelism', 1],
  [
    'spec.backoffLimit',
    ({ backoffLimitPerIndex }: JsonObject) => (backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1),
  ],
  ['spec.completionMode', 'NonIndexed'],
  ['spec.suspend', false],
  [
    'spec.podReplacementPolicy',
    ({ podFailurePolicy }: JsonObject) => (podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'),
  ],
  ['spec.manualSelector', false],
  ...podSpec('spec.template.spec'),
]
