import type { Context } from './context.ts'
import { type Cause, invalid } from './failure.ts'
import { at, isObject, type KubeObject } from './object.ts'
import { text } from './values.ts'

const range = '10.96.'
const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
const dual = { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']

/** Gives a Service the address it asks for, or a free one of 10.96.0.0/16; a headless one stays so. */
export function allocateClusterIp(service: KubeObject, { store }: Context): KubeObject {
  const spec = isObject(service.spec) ? service.spec : {}
  const asked = text(spec.clusterIP)
  if (spec.type === 'ExternalName') return service
  const used = new Set(store.list('services').map((other) => text(at(other, 'spec', 'clusterIP'))))
  const clusterIP = asked === '' ? freeIp(used) : asked
  if (asked !== '' && asked !== 'None') checkAsked(service, used)
  // Nobody knows which families the endpoints of a headless Service without a selector will have.
  const own = clusterIP === 'None' && spec.selector === undefined ? dual : families
  return { ...service, spec: { ...own, ...spec, clusterIP, clusterIPs: [clusterIP] } }
}

/** A Service keeps its address; one that becomes an ExternalName gives it up. */
export function keepClusterIp(service: KubeObject, live: KubeObject): KubeObject {
  const spec = isObject(service.spec) ? service.spec : {}
  const kept = isObject(live.spec) ? live.spec : {}
  const clusterIP = text(kept.clusterIP)
  if (spec.type === 'ExternalName') return { ...service, spec: without(spec) }
  if (text(spec.clusterIP) !== '' && clusterIP !== '' && spec.clusterIP !== clusterIP) {
    const field = 'spec.clusterIPs[0]'
    throw refused(service, { field, value: [spec.clusterIP], why: 'may not change once set' })
  }
  const own = Object.fromEntries(allocated.map((name) => [name, spec[name] ?? kept[name]]))
  return { ...service, spec: { ...spec, ...own } }
}

function without(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !allocated.includes(name)))
}

function freeIp(used: ReadonlySet<string>): string {
  for (let number = 256; number < 65_535; number++) {
    const ip = `${range}${number >> 8}.${number & 255}`
    if (!used.has(ip)) return ip
  }
  throw new Error('all addresses of Services are taken')
}

function checkAsked(service: KubeObject, used: ReadonlySet<string>): void {
  const ip = text(at(service, 'spec', 'clusterIP'))
  const field = 'spec.clusterIPs'
  const failed = `failed to allocate IP ${ip}: `
  if (!ip.startsWith(range)) {
    const why = `${failed}the provided network does not match the current range`
    throw refused(service, { field, value: [ip], why })
  }
  if (used.has(ip)) {
    throw refused(service, { field, value: [ip], why: `${failed}provided IP is already allocated` })
  }
}

function refused(service: KubeObject, { field, value, why }: { field: string; value: unknown; why: string }) {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`
  const cause: Cause = { reason: 'FieldValueInvalid', message, field }
  return invalid({ group: '', kind: 'Service' }, service.metadata.name, [cause])
}
