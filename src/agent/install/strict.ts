import { gzipSync } from 'node:zlib'
import { digestOf, fileLoader } from '../loader.ts'
import { toFindAgents, toKnock } from '../rights.ts'
import { accountDirectory, gatePort } from '../strict/places.ts'
import type { AgentObject } from './objects.ts'

/** On the pods of a strict agent: callers have to knock, they cannot start anything. */
export const strictAnnotation = 'kubesync/strict'

interface Names {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

const rbac = 'rbac.authorization.k8s.io'
const file = 'agent.cjs.gz'
/** Relative to the root of the agent's container, which is its working directory. */
const directory = 'kubesync'

/**
 * What a strict agent needs more: its code; the right to look whether a proof stands in a pod; and for its callers, to be
 * bound to them by an administrator, a Role with all that they may do here.
 */
export function strictObjects({ name, namespace, labels }: Names, code: Buffer): AgentObject[] {
  const inNamespace = { name, namespace, labels }
  // Names of cluster-wide objects are shared by all installations.
  const everywhere = { name: clusterName({ name, namespace }), labels }
  const apiVersion = `${rbac}/v1`
  // As it is it would be more than `kubectl apply` can note down in an annotation.
  const binaryData = { [file]: gzipSync(code).toString('base64') }
  const reader = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: everywhere.name }
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: inNamespace, binaryData },
    { apiVersion, kind: 'ClusterRole', metadata: everywhere, rules: reader },
    { apiVersion, kind: 'ClusterRoleBinding', metadata: everywhere, roleRef, subjects },
    { apiVersion, kind: 'Role', metadata: { ...inNamespace, name: callerRole(name) }, rules: callerRules },
  ]
}

export function clusterName({ name, namespace }: Pick<Names, 'name' | 'namespace'>): string {
  return `${name}-${namespace}`
}

export function callerRole(name: string): string {
  return `${name}-caller`
}

const callerRules = [toFindAgents, toKnock].map(({ resource, verbs }) => ({
  ...{ apiGroups: [''], resources: [resource], verbs },
}))

/** The code's digest is among them, so that new code means new pods. */
export function strictAnnotations(code: Buffer): Record<string, string> {
  return { [strictAnnotation]: 'true', 'kubesync/code': digestOf(code) }
}

const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }
const certificate = {
  configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
}

/** The first probe comes at once, and the next one long after: it waits for an agent that is just starting. */
const knock = `
(function knock(left) {
  require('net').connect(${gatePort}, process.env.POD_LOOPBACK || '127.0.0.1', function () { process.exit(0); })
    .on('error', function () { if (left === 0) process.exit(1); setTimeout(knock, 200, left - 1); });
})(25);
`.trim()

/** What of its pod is another thing for a strict agent: it runs code of its own, all day, and has a token. */
export function strictPod(name: string) {
  const readinessProbe = {
    ...{
      exec: { command: ['node', '-e', knock] },
      timeoutSeconds: 20,
      periodSeconds: 10,
      failureThreshold: 3,
    },
  }
  return {
    spec: {
      volumes: [
        { name: 'code', configMap: { name } },
        { name: 'account', projected: { sources: [token, certificate] } },
      ],
    },
    container: {
      command: ['node', '-e', fileLoader, `${directory}/${file}`, 'gate'],
      workingDir: '/',
      volumeMounts: [
        { name: 'code', mountPath: `/${directory}`, readOnly: true },
        { name: 'account', mountPath: `/${accountDirectory}`, readOnly: true },
      ],
      readinessProbe,
    },
  }
}
