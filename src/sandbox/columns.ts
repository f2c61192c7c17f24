import {
  addressOf,
  controllerOf,
  endpoints,
  externalIp,
  involved,
  labelsOf,
  nodeRoles,
  nodeStatus,
  ports,
  selectorText,
  size,
  subjects,
  textAt,
} from './cells.ts'
import { age, type Column, column, name, number, said, wide } from './column.ts'
import { ageOf } from './duration.ts'
import { at, type KubeObject } from './object.ts'
import { podReady, podRestarts, podStatus } from './pod-columns.ts'
import { count, list, text } from './values.ts'

function containers(path = 'spec.template.spec'): Column[] {
  const of = (object: KubeObject, field: string) =>
    list(at(object, ...path.split('.'), 'containers'))
      .map((container) => text(container[field]))
      .join(',')
  return [
    wide(column('Containers', (object) => of(object, 'name'))),
    wide(column('Images', (object) => of(object, 'image'))),
  ]
}

const selector = wide(column('Selector', (object) => selectorText(at(object, 'spec', 'selector'))))
const replicas = (path: string) => (object: KubeObject) =>
  `${count(at(object, 'status', path))}/${count(at(object, 'spec', 'replicas'))}`
const sets = [
  name,
  number('Desired', 'spec.replicas'),
  number('Current', 'status.replicas'),
  number('Ready', 'status.readyReplicas'),
  age,
  ...containers(),
]
const roles = [
  name,
  column('Role', (object) => `${textAt(object, 'roleRef.kind')}/${textAt(object, 'roleRef.name')}`),
  age,
  ...['User', 'Group', 'ServiceAccount'].map((kind) =>
    wide(column(`${kind}s`, (object) => subjects(object, kind))),
  ),
]

/** The columns of each resource, as pkg/printers/internalversion in Kubernetes has them. */
export const columns: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    name,
    column('Ready', podReady),
    column('Status', podStatus),
    column('Restarts', podRestarts),
    age,
    wide(said('IP', 'status.podIP')),
    wide(said('Node', 'spec.nodeName')),
    wide(said('Nominated Node', 'status.nominatedNodeName')),
    wide(column('Readiness Gates', () => '<none>')),
  ],
  'deployments.apps': [
    name,
    column('Ready', replicas('readyReplicas')),
    number('Up-to-date', 'status.updatedReplicas'),
    number('Available', 'status.availableReplicas'),
    age,
    ...containers(),
    selector,
  ],
  'replicasets.apps': [...sets, selector],
  replicationcontrollers: [
    ...sets,
    wide(column('Selector', (object) => labelsOf(at(object, 'spec', 'selector')))),
  ],
  'daemonsets.apps': [
    name,
    number('Desired', 'status.desiredNumberScheduled'),
    number('Current', 'status.currentNumberScheduled'),
    number('Ready', 'status.numberReady'),
    number('Up-to-date', 'status.updatedNumberScheduled'),
    number('Available', 'status.numberAvailable'),
    column('Node Selector', (object) => labelsOf(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
    age,
    ...containers(),
    selector,
  ],
  'statefulsets.apps': [name, column('Ready', replicas('readyReplicas')), age, ...containers()],
  'controllerrevisions.apps': [name, column('Controller', controllerOf), number('Revision', 'revision'), age],
  'jobs.batch': [
    name,
    column('Status', () => 'Running'),
    column('Completions', (object) => `0/${textAt(object, 'spec.completions') || '1'}`),
    column('Duration', () => ''),
    age,
    ...containers(),
    selector,
  ],
  'cronjobs.batch': [
    name,
    said('Schedule', 'spec.schedule'),
    said('Timezone', 'spec.timeZone'),
    column('Suspend', (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False')),
    number('Active', 'status.active'),
    said('Last Schedule', 'status.lastScheduleTime'),
    age,
    ...containers('spec.jobTemplate.spec.template.spec'),
    wide(column('Selector', () => '<none>')),
  ],
  services: [
    name,
    said('Type', 'spec.type'),
    said('Cluster-IP', 'spec.clusterIP'),
    column('External-IP', externalIp),
    column('Port(s)', ports),
    age,
    wide(column('Selector', (object) => labelsOf(at(object, 'spec', 'selector')))),
  ],
  endpoints: [name, column('Endpoints', endpoints), age],
  nodes: [
    name,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    age,
    said('Version', 'status.nodeInfo.kubeletVersion', ''),
    wide(column('Internal-IP', (node) => addressOf(node, 'InternalIP'))),
    wide(column('External-IP', (node) => addressOf(node, 'ExternalIP'))),
    wide(said('OS-Image', 'status.nodeInfo.osImage', '<unknown>')),
    wide(said('Kernel-Version', 'status.nodeInfo.kernelVersion', '<unknown>')),
    wide(said('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', '<unknown>')),
  ],
  events: [
    column('Last Seen', (event, now) =>
      ageOf(event.lastTimestamp ?? event.firstTimestamp ?? event.eventTime, now),
    ),
    said('Type', 'type', ''),
    said('Reason', 'reason', ''),
    column('Object', ({ involvedObject }) => involved(involvedObject)),
    wide(said('Subobject', 'involvedObject.fieldPath', '')),
    wide(
      column('Source', (event) => textAt(event, 'source.component') || textAt(event, 'reportingComponent')),
    ),
    column('Message', (event) => textAt(event, 'message').trim()),
    wide(column('First Seen', (event, now) => ageOf(event.firstTimestamp ?? event.eventTime, now))),
    wide(column('Count', (event) => count(event.count) || 1)),
    wide(name),
  ],
  namespaces: [name, said('Status', 'status.phase', ''), age],
  configmaps: [name, column('Data', ({ data, binaryData }) => size(data) + size(binaryData)), age],
  secrets: [name, said('Type', 'type', ''), column('Data', ({ data }) => size(data)), age],
  serviceaccounts: [name, age],
  'ingresses.networking.k8s.io': [
    name,
    said('Class', 'spec.ingressClassName'),
    column(
      'Hosts',
      (object) =>
        list(at(object, 'spec', 'rules'))
          .map(({ host }) => text(host))
          .join(',') || '*',
    ),
    column('Address', () => ''),
    column('Ports', (object) => (list(at(object, 'spec', 'tls')).length > 0 ? '80, 443' : '80')),
    age,
  ],
  'networkpolicies.networking.k8s.io': [
    name,
    column('Pod-Selector', (object) => selectorText(at(object, 'spec', 'podSelector'))),
    age,
  ],
  'rolebindings.rbac.authorization.k8s.io': roles,
  'clusterrolebindings.rbac.authorization.k8s.io': roles,
  'leases.coordination.k8s.io': [name, said('Holder', 'spec.holderIdentity', ''), age],
  'priorityclasses.scheduling.k8s.io': [
    name,
    number('Value', 'value'),
    { name: 'Global-Default', type: 'boolean', cell: ({ globalDefault }) => globalDefault === true },
    age,
    wide(said('PreemptionPolicy', 'preemptionPolicy', '')),
  ],
  persistentvolumeclaims: [
    name,
    said('Status', 'status.phase', ''),
    said('Volume', 'spec.volumeName', ''),
    column('Capacity', () => ''),
    column('Access Modes', () => ''),
    said('StorageClass', 'spec.storageClassName', ''),
    said('VolumeAttributesClass', 'spec.volumeAttributesClassName', '<unset>'),
    age,
    wide(said('VolumeMode', 'spec.volumeMode', '<unset>')),
  ],
  'poddisruptionbudgets.policy': [
    name,
    said('Min Available', 'spec.minAvailable', 'N/A'),
    said('Max Unavailable', 'spec.maxUnavailable', 'N/A'),
    number('Allowed Disruptions', 'status.disruptionsAllowed'),
    age,
  ],
}
