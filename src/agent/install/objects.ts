import type { KubeObject } from '../../kube/resource.ts'
import { idle } from './idle.ts'
import { strictAnnotations, strictObjects, strictPod } from './strict.ts'

/** Where the agent goes and what it runs on. */
export interface AgentOptions {
  readonly namespace: string
  /** Any image with Node 20 or newer in it. */
  readonly image: string
  /** Labels a node must have, beside running Linux. */
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly Toleration[]
  /** The command line's version, for a label. */
  readonly version: string
  /** The agent's code, if it is to serve those only who prove a right, and to run no code of theirs. */
  readonly strictCode?: Buffer | undefined
}

/** As in a pod's spec. An empty `key` with `Exists` tolerates everything. */
export interface Toleration {
  readonly key?: string
  readonly operator: 'Exists' | 'Equal'
  readonly value?: string
  readonly effect?: string
}

/** A Kubernetes object, as far as the install has to know it. */
export interface AgentObject {
  readonly apiVersion: string
  readonly kind:
    | 'Namespace'
    | 'ServiceAccount'
    | 'DaemonSet'
    | 'ConfigMap'
    | 'Role'
    | 'ClusterRole'
    | 'ClusterRoleBinding'
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export const defaultNamespace = 'kubesync'
export const defaultImage = 'docker.io/library/node:22-alpine'
export const agentName = 'kubesync-agent'
/** The container of the agent's pod in which the agent is started. */
export const agentContainer = 'agent'
export const agentSelector = `app.kubernetes.io/name=${agentName}`

const managedByLabel = 'app.kubernetes.io/managed-by'
const managedBy = 'kubesync'
/** Tells a namespace that `init` made from one that was there before, which `clean` leaves alone. */
const createdAnnotation = 'kubesync/created'

/**
 * The rights that reaching into other containers takes, and no more: SYS_PTRACE to open /proc/PID/root, DAC_OVERRIDE
 * and FOWNER for directories of other users until the mirror has taken the container's ids, SETUID and SETGID
 * to take them, CHOWN and KILL for the owners of new files and for signals.
 */
const capabilities = ['SYS_PTRACE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'KILL']

/** The objects of an install, in the order in which they are created. */
export function agentObjects(options: AgentOptions): AgentObject[] {
  const { namespace, strictCode: code } = options
  const strict = { name: agentName, namespace, labels: labels(options) }
  return [
    namespaceObject(options),
    serviceAccount(options),
    ...(code === undefined ? [] : strictObjects(strict, code)),
    daemonSet(options),
  ]
}

function labels(options: AgentOptions): Record<string, string> {
  return {
    'app.kubernetes.io/name': agentName,
    [managedByLabel]: managedBy,
    'app.kubernetes.io/version': options.version,
  }
}

function namespaceObject(options: AgentOptions): AgentObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: options.namespace,
      labels: {
        ...labels(options),
        // hostPID is what makes it `privileged` in the words of Pod Security; the agent's container is not.
        'pod-security.kubernetes.io/enforce': 'privileged',
        'pod-security.kubernetes.io/audit': 'privileged',
        'pod-security.kubernetes.io/warn': 'privileged',
      },
      annotations: { [createdAnnotation]: 'true' },
    },
  }
}

/** An account of its own that may do nothing, so that the pods do not run as the namespace's default one. */
function serviceAccount(options: AgentOptions): AgentObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: agentName, namespace: options.namespace, labels: labels(options) },
    automountServiceAccountToken: false,
  }
}

function daemonSet(options: AgentOptions): AgentObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: agentName, namespace: options.namespace, labels: labels(options) },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': agentName } },
      // Nothing is served that could be missed, so an upgrade need not go node by node.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        // No version here: it would replace every pod, and cut every session, for code that is streamed anyway.
        metadata: {
          labels: { 'app.kubernetes.io/name': agentName, [managedByLabel]: managedBy },
          ...(options.strictCode === undefined ? {} : { annotations: strictAnnotations(options.strictCode) }),
        },
        spec: podSpec(options),
      },
    },
  }
}

function podSpec(options: AgentOptions): Record<string, unknown> {
  const strict = options.strictCode === undefined ? undefined : strictPod(agentName)
  return {
    hostPID: true,
    serviceAccountName: agentName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    nodeSelector: { 'kubernetes.io/os': 'linux', ...options.nodeSelector },
    ...(options.tolerations.length === 0 ? {} : { tolerations: options.tolerations }),
    securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ ...container(options.image), ...strict?.container }],
    // Where agents keep what several replicas are to be sent (agent/content): too much for /dev/shm.
    volumes: [{ name: scratch, emptyDir: { sizeLimit: '2Gi' } }],
    ...strict?.spec,
  }
}

const scratch = 'scratch'

function container(image: string): Record<string, unknown> {
  return {
    name: agentContainer,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', idle],
    // The last words of a container that fails are then in the pod's status, which needs no right to read logs.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    // No limits: what an agent needs grows with the trees that it holds, and a limit would end syncs, not leaks.
    resources: { requests: { cpu: '10m', memory: '64Mi' } },
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: capabilities },
    },
    volumeMounts: [{ name: scratch, mountPath: '/tmp' }],
    // A probe is what a session does: exec, and a Node that starts. There is no startup probe, because the
    // first readiness probe comes at once, and the second may be a period later on older clusters.
    readinessProbe: probe({ periodSeconds: 10, failureThreshold: 3 }),
    livenessProbe: probe({ periodSeconds: 60, failureThreshold: 5, initialDelaySeconds: 30 }),
  }
}

function probe(timing: Record<string, number>): Record<string, unknown> {
  return { exec: { command: ['node', '-e', ''] }, timeoutSeconds: 20, ...timing }
}

/** Whether an object was made by `init`. */
export function isOurs(object: KubeObject): boolean {
  return object.metadata?.labels?.[managedByLabel] === managedBy
}

/** Whether a namespace was made by `init`, and not by somebody else before it. */
export function isOwnNamespace(namespace: KubeObject): boolean {
  return isOurs(namespace) && namespace.metadata?.annotations?.[createdAnnotation] === 'true'
}
