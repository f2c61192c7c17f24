import {
  addressOf,
  externalIp,
  labelsOf,
  nodeRoles,
  nodeStatus,
  podReady,
  podRestarts,
  podStatus,
  ports,
  selectorText,
  size,
  textAt,
} from './cells.ts'
import { ageOf } from './duration.ts'
import { jsonPath } from './json-path.ts'
import { at, type KubeObject } from './object.ts'
import type { PrinterColumn, ResourceType } from './resource.ts'
import { count, list, text } from './values.ts'

type Cell = (object: KubeObject, now: Date) => unknown

/** A column of a server-side table. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 1 for those that are shown only with `-o wide`. */
  readonly priority?: number
  readonly cell: Cell
}

const column = (name: string, cell: Cell): Column => ({ name, type: 'string', cell })
const said = (name: string, path: string, none = '<none>') =>
  column(name, (object) => textAt(object, path) || none)
const wide = (one: Column): Column => ({ ...one, priority: 1 })
const number = (name: string, path: string): Column => ({
  name,
  type: 'integer',
  cell: (object) => count(at(object, ...path.split('.'))),
})

const name: Column = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name }
const age = column('Age', ({ metadata }, now) => ageOf(metadata.creationTimestamp, now))

function containers(field: string): Cell {
  const of = (object: KubeObject) => list(at(object, 'spec', 'template', 'spec', 'containers'))
  return (object) =>
    of(object)
      .map((container) => text(container[field]))
      .join(',')
}
const template = [
  wide(column('Containers', containers('name'))),
  wide(column('Images', containers('image'))),
  wide(column('Selector', (object) => selectorText(at(object, 'spec', 'selector')))),
]
const data = column('Data', ({ data, binaryData }) => size(data) + size(binaryData))

/** The columns of the resources that people look at, as pkg/printers/internalversion in Kubernetes has them. */
const columns: Readonly<Record<string, readonly Column[]>> = {
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
    column('Ready', ({ spec, status }) => `${count(at(status, 'readyReplicas'))}/${at(spec, 'replicas')}`),
    number('Up-to-date', 'status.updatedReplicas'),
    number('Available', 'status.availableReplicas'),
    age,
    ...template,
  ],
  'replicasets.apps': [
    name,
    number('Desired', 'spec.replicas'),
    number('Current', 'status.replicas'),
    number('Ready', 'status.readyReplicas'),
    age,
    ...template,
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
    ...template,
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
    column('Last Seen', (event, now) => ageOf(event.lastTimestamp ?? event.eventTime, now)),
    said('Type', 'type', ''),
    said('Reason', 'reason', ''),
    column('Object', ({ involvedObject: of }) => `${textAt(of, 'kind').toLowerCase()}/${textAt(of, 'name')}`),
    column('Message', (event) => textAt(event, 'message').trim()),
    wide(name),
  ],
  namespaces: [name, said('Status', 'status.phase', ''), age],
  configmaps: [name, data, age],
  secrets: [name, said('Type', 'type', ''), data, age],
}

/** What a server shows of kinds it has no columns for. */
const plain: readonly Column[] = [
  name,
  { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp },
]

/** The columns of a resource: those of Kubernetes, those that a CRD names. */
export function columnsOf({ key, definition }: Pick<ResourceType, 'key' | 'definition'>): readonly Column[] {
  if (definition === undefined) return columns[key] ?? plain
  return [name, ...(definition.columns.length === 0 ? [age] : definition.columns.map(customColumn))]
}

function customColumn({ jsonPath: path, ...column }: PrinterColumn): Column {
  return {
    ...column,
    cell: (object, now) => {
      const [value] = jsonPath(object, path)
      if (column.type === 'date') return value === undefined ? null : ageOf(value, now)
      return column.type === 'string' && typeof value === 'object' ? JSON.stringify(value) : (value ?? null)
    },
  }
}
