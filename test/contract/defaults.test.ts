import { expect, test } from 'vitest'
import { differing } from './support/differences.ts'
import { at, type Fields, isFields } from './support/json.ts'
import { client, needing, useNamespace } from './support/suite.ts'

const space = useNamespace()

const labels = { app: 'a' }
const selector = { matchLabels: labels }
const container = { name: 'main', image: 'docker.io/kubesync-test/plain:1' }
const template = { metadata: { labels }, spec: { containers: [container] } }
const once = { containers: [container], restartPolicy: 'Never' }
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }

const fullContainer = {
  ...container,
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
}
const templatePodSpec = {
  containers: [fullContainer],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
}
const tolerated = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })
const podSpec = {
  ...templatePodSpec,
  tolerations: [tolerated('node.kubernetes.io/not-ready'), tolerated('node.kubernetes.io/unreachable')],
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
}
const fullTemplate = { metadata: { labels }, spec: templatePodSpec }
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
const defaultMode = 420
const service = { type: 'ClusterIP', sessionAffinity: 'None' }
const address = expect.stringMatching(/^[\d.]+$/)

interface Defaulted {
  readonly what: string
  readonly plural: string
  readonly group?: string
  readonly spec: Fields
  readonly expected: Fields
}

const kinds: readonly Defaulted[] = [
  { what: 'a Pod', plural: 'pods', spec: { containers: [container] }, expected: podSpec },
  {
    what: 'a Pod with much in it',
    plural: 'pods',
    spec: {
      serviceAccountName: 'default',
      containers: [
        {
          name: 'main',
          image: 'registry.example.com/app',
          ports: [{ containerPort: 80 }],
          env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
          resources: { limits: { cpu: '1', memory: '64Mi' } },
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { tcpSocket: { port: 80 } },
          volumeMounts: [{ name: 'empty', mountPath: '/e' }],
        },
      ],
      initContainers: [{ name: 'init', image: 'a:latest' }],
      volumes: [
        { name: 'empty', emptyDir: {} },
        { name: 'config', configMap: { name: 'c' } },
        { name: 'secret', secret: { secretName: 's' } },
      ],
    },
    expected: {
      ...podSpec,
      containers: [
        {
          ...fullContainer,
          image: 'registry.example.com/app',
          imagePullPolicy: 'Always',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          env: [{ name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } }],
          resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1', memory: '64Mi' } },
          livenessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, ...probe },
          readinessProbe: { tcpSocket: { port: 80 }, ...probe },
          volumeMounts: [{ name: 'empty', mountPath: '/e' }],
        },
      ],
      initContainers: [{ ...fullContainer, name: 'init', image: 'a:latest', imagePullPolicy: 'Always' }],
      volumes: [
        { name: 'empty', emptyDir: {} },
        { name: 'config', configMap: { name: 'c', defaultMode } },
        { name: 'secret', secret: { secretName: 's', defaultMode } },
      ],
    },
  },
  {
    what: 'a Deployment',
    plural: 'deployments',
    group: 'apps/v1',
    spec: { selector, template },
    expected: {
      replicas: 1,
      selector,
      template: fullTemplate,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  },
  {
    what: 'a Deployment that says some of its strategy',
    plural: 'deployments',
    group: 'apps/v1',
    spec: { selector, template, replicas: 0, strategy: { rollingUpdate: { maxSurge: 0 } } },
    expected: {
      replicas: 0,
      selector,
      template: fullTemplate,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 0 } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  },
  {
    what: 'a ReplicaSet',
    plural: 'replicasets',
    group: 'apps/v1',
    spec: { selector, template },
    expected: { replicas: 1, selector, template: fullTemplate },
  },
  {
    what: 'a ReplicaSet with volumes of several sources',
    plural: 'replicasets',
    group: 'apps/v1',
    spec: {
      selector,
      template: {
        ...template,
        spec: {
          ...template.spec,
          volumes: [
            {
              name: 'self',
              downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] },
            },
            { name: 'many', projected: { sources: [{ configMap: { name: 'c' } }] } },
          ],
        },
      },
    },
    expected: {
      replicas: 1,
      selector,
      template: {
        ...fullTemplate,
        spec: {
          ...templatePodSpec,
          volumes: [
            {
              name: 'self',
              downwardAPI: {
                items: [{ path: 'n', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
                defaultMode,
              },
            },
            { name: 'many', projected: { sources: [{ configMap: { name: 'c' } }], defaultMode } },
          ],
        },
      },
    },
  },
  {
    what: 'a DaemonSet',
    plural: 'daemonsets',
    group: 'apps/v1',
    spec: { selector, template },
    expected: {
      selector,
      template: fullTemplate,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: differing.daemonSetRollingUpdate },
      revisionHistoryLimit: 10,
    },
  },
  {
    what: 'a StatefulSet',
    plural: 'statefulsets',
    group: 'apps/v1',
    spec: {
      selector,
      template,
      serviceName: 's',
      volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: claim }],
    },
    expected: {
      replicas: 1,
      selector,
      template: fullTemplate,
      serviceName: 's',
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'v' },
          spec: { ...claim, volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      ...differing.statefulSet,
    },
  },
  {
    what: 'a Job',
    plural: 'jobs',
    group: 'batch/v1',
    spec: { template: { spec: once } },
    expected: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      selector: { matchLabels: differing.jobSelector },
      template: {
        metadata: { labels: differing.jobLabels('defaulted') },
        spec: { ...templatePodSpec, restartPolicy: 'Never' },
      },
      ...differing.job,
    },
  },
  {
    what: 'a Service',
    plural: 'services',
    spec: { selector: labels, ports: [{ port: 80 }] },
    expected: {
      ...service,
      selector: labels,
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      clusterIP: address,
      clusterIPs: [address],
      ...differing.service,
    },
  },
  {
    what: 'a Service of type NodePort',
    plural: 'services',
    spec: { type: 'NodePort', ports: [{ port: 80, targetPort: 'http' }] },
    expected: {
      ...service,
      type: 'NodePort',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 'http', nodePort: expect.any(Number) }],
      externalTrafficPolicy: 'Cluster',
      clusterIP: address,
      clusterIPs: [address],
      ...differing.service,
    },
  },
  {
    what: 'a Service of type ExternalName',
    plural: 'services',
    spec: { type: 'ExternalName', externalName: 'a.example.com' },
    expected: { type: 'ExternalName', externalName: 'a.example.com', sessionAffinity: 'None' },
  },
  {
    what: 'a PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    spec: claim,
    expected: { ...claim, volumeMode: 'Filesystem' },
  },
  {
    what: 'a NetworkPolicy',
    plural: 'networkpolicies',
    group: 'networking.k8s.io/v1',
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
    expected: {
      podSelector: {},
      ingress: [{ ports: [{ port: 80, protocol: 'TCP' }] }],
      policyTypes: ['Ingress'],
    },
  },
]

test.each(kinds)('$what gets exactly its defaults', async ({ plural, group, spec, expected }) => {
  const path = space.path(plural, group)
  // Addresses are given to what is kept only; the rest is not to run.
  const dry = plural === 'services' ? '' : '?dryRun=All'
  const body = { metadata: { name: 'defaulted' }, spec }
  const made = await client.create(path + dry, body)
  if (dry === '') await client.delete(`${path}/defaulted`)
  expect(comparable(made.spec)).toEqual(expected)
})

test('a Pod begins as pending, with its quality of service', async () => {
  const path = `${space.path('pods')}?dryRun=All`
  const made = await client.create(path, { metadata: { name: 'a' }, spec: { containers: [container] } })
  expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
})

test('a Secret is opaque, a RoleBinding’s subjects have their group', async () => {
  const secret = await client.create(`${space.path('secrets')}?dryRun=All`, { metadata: { name: 'a' } })
  expect(secret.type).toBe('Opaque')
  const binding = await client.create(
    `${space.path('rolebindings', 'rbac.authorization.k8s.io/v1')}?dryRun=All`,
    {
      metadata: { name: 'a' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: 'default' },
      ],
    },
  )
  expect(at(binding, 'subjects')).toEqual([
    { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
    { kind: 'ServiceAccount', name: 's', namespace: 'default' },
  ])
})

needing('controllers')('a Pod runs as its namespace’s ServiceAccount', async () => {
  const path = `${space.path('pods')}?dryRun=All`
  const made = await client.create(path, { metadata: { name: 'a' }, spec: { containers: [container] } })
  expect(made.spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' })
})

const accountMount = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Without what admission adds for the ServiceAccount, and without the empty times of old servers. */
function comparable(spec: unknown): unknown {
  const { serviceAccount: _a, serviceAccountName: _b, ...rest } = isFields(spec) ? spec : {}
  const mounted = JSON.stringify(rest).match(
    /"name":"([^"]+)","readOnly":true,"mountPath":"\/var\/run\/secrets\/kubernetes/,
  )?.[1]
  const isAccount = (value: unknown) =>
    at(value, 'mountPath') === accountMount || (mounted !== undefined && at(value, 'name') === mounted)
  return without(rest, isAccount)
}

function without(value: unknown, unwanted: (value: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.filter((one) => !unwanted(one)).map((one) => without(one, unwanted))
  if (!isFields(value)) return value
  const kept = Object.entries(value)
    .map(([field, inner]) => [field, without(inner, unwanted)] as const)
    .filter(([field, inner]) => !(field === 'creationTimestamp' && inner === null))
    .filter(([field, inner]) => !(/^volume/.test(field) && Array.isArray(inner) && inner.length === 0))
  return Object.fromEntries(kept)
}
