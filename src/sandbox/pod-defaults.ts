import type { JsonObject } from './object.ts'

/**
 * What is set by field. A plain value is set where there is none; an object or a list of one says what is set below an object or
 * in each item of a list that is there; a function tells the value from what there is and from what it stands in.
 */
export type Defaults = {
  readonly [field: string]: string | number | boolean | Defaults | [Defaults] | Decide
}

export type Decide = (now: unknown, owner: JsonObject) => unknown

function pullPolicy(now: unknown, { image }: JsonObject): unknown {
  const [name = '', digest] = String(image ?? '').split('@')
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return now ?? (tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent')
}

const httpGet = { path: '/', scheme: 'HTTP' }
const probe: Defaults = {
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
  httpGet,
  grpc: { service: '' },
}
export const container: Defaults = {
  imagePullPolicy: pullPolicy,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  ports: [{ protocol: 'TCP' }],
  env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }],
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: { postStart: { httpGet }, preStop: { httpGet } },
}

const defaultMode = 0o644
const items: [Defaults] = [{ fieldRef: { apiVersion: 'v1' } }]
const volume: Defaults = {
  emptyDir: (now, volume) => (Object.keys(volume).length === 1 ? {} : now),
  secret: { defaultMode },
  configMap: { defaultMode },
  downwardAPI: { defaultMode, items },
  projected: {
    defaultMode,
    sources: [{ downwardAPI: { items }, serviceAccountToken: { expirationSeconds: 3600 } }],
  },
  hostPath: { type: '' },
}

/** What a pod and a template of one are given. */
export const podSpec: Defaults = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: (now) => now ?? {},
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
  serviceAccountName: (now, { serviceAccount }) => now ?? serviceAccount,
  serviceAccount: (now, { serviceAccountName }) => now ?? serviceAccountName,
  containers: [container],
  initContainers: [container],
  ephemeralContainers: [container],
  volumes: [volume],
}
export const template: Defaults = { spec: podSpec }
