import type { Context } from './context.ts'
import { invalid } from './failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { invalidValue } from './validate/causes.ts'
import { count, list, text } from './values.ts'

const range = '10.96.'
const [firstPort, lastPort] = [30_000, 32_767]
const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
const dual = { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
const addresses = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']

/** A Service with the address and the node ports that it has, asks for, or is given where they are free. */
export function allocated(service: KubeObject, { store }: Context, live?: KubeObject): KubeObject {
  const others = store
    .list('services')
    .filter(
      ({ metadata }) =>
        metadata.name !== service.metadata.name || metadata.namespace !== service.metadata.namespace,
    )
  const placed = withAddress(service, others, live)
  return withNodePorts(placed, others, live)
}

/** Of 10.96.0.0/16; a headless Service stays so, one that becomes an ExternalName gives its address up. */
function withAddress(service: KubeObject, others: readonly KubeObject[], live?: KubeObject): KubeObject {
  const spec = specOf(service)
  if (spec.type === 'ExternalName') {
    const kept = Object.entries(spec).filter(([name]) => !addresses.includes(name))
    return { ...service, spec: Object.fromEntries(kept) }
  }
  const former = specOf(live)
  const had = text(former.clusterIP)
  const asked = text(spec.clusterIP) || had
  if (had !== '' && asked !== had) {
    throw refused(service, 'spec.clusterIPs[0]', [asked], 'may not change once set')
  }
  const used = new Set(others.map((other) => text(at(other, 'spec', 'clusterIP'))))
  if (asked !== '' && asked !== 'None') checkAddress(service, asked, used)
  const clusterIP = asked || firstFree(256, (number) => `${range}${number >> 8}.${number & 255}`, used)
  // Nobody knows which families the endpoints of a headless Service without a selector will have.
  const own = clusterIP === 'None' && spec.selector === undefined ? dual : families
  const kept = Object.fromEntries(addresses.flatMap((name) => (name in former ? [[name, former[name]]] : [])))
  return { ...service, spec: { ...own, ...kept, ...spec, clusterIP, clusterIPs: [clusterIP] } }
}

function checkAddress(service: KubeObject, ip: string, used: ReadonlySet<string>): void {
  const why = !ip.startsWith(range)
    ? 'the provided network does not match the current range'
    : used.has(ip) && 'provided IP is already allocated'
  if (why) throw refused(service, 'spec.clusterIPs', [ip], `failed to allocate IP ${ip}: ${why}`)
}

/** A port of a Service keeps the node port that it has. One that becomes a ClusterIP again has none. */
function withNodePorts(service: KubeObject, others: readonly KubeObject[], live?: KubeObject): KubeObject {
  const spec = specOf(service)
  const ports = list(spec.ports)
  const former = list(specOf(live).ports)
  if (!isOnNodes(spec)) {
    const without = ports.map(({ nodePort: _, ...port }) => port)
    return isOnNodes(specOf(live)) ? { ...service, spec: { ...spec, ports: without } } : service
  }
  const used = new Set(others.flatMap((other) => list(at(other, 'spec', 'ports')).map(nodePortOf)))
  const given = ports.map((port, index) => {
    const same = former.find((one) => one.port === port.port && one.protocol === port.protocol)
    const nodePort = nodePortOf(port) || nodePortOf(same ?? {})
    if (nodePort !== 0) checkNodePort(service, { nodePort, index }, used)
    const chosen = nodePort || firstFree(firstPort, (number) => number, used)
    used.add(chosen)
    return { ...port, nodePort: chosen }
  })
  return { ...service, spec: { ...spec, ports: given } }
}

const nodePortOf = (port: JsonObject) => count(port.nodePort)

function isOnNodes({ type, allocateLoadBalancerNodePorts }: JsonObject): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
}

function checkNodePort(
  service: KubeObject,
  { nodePort, index }: { nodePort: number; index: number },
  used: ReadonlySet<number>,
): void {
  const why =
    nodePort < firstPort || nodePort > lastPort
      ? `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}`
      : used.has(nodePort) && 'provided port is already allocated'
  if (why) throw refused(service, `spec.ports[${index}].nodePort`, nodePort, why)
}

/** Those who run out of addresses or ports have other troubles before. */
function firstFree<T>(first: number, nth: (number: number) => T, used: ReadonlySet<T>): T {
  let number = first
  while (used.has(nth(number))) number += 1
  return nth(number)
}

const specOf = (object: KubeObject | undefined): JsonObject => (isObject(object?.spec) ? object.spec : {})

function refused(service: KubeObject, field: string, value: unknown, why: string) {
  return invalid({ group: '', kind: 'Service' }, service.metadata.name, [invalidValue(field, value, why)])
}
