import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Probe } from '@kubernetes/client-node'
import type { Container } from './pod-spec.ts'

/** A running container, as probes see it. */
export interface Probed {
  readonly container: Container
  readonly podIP: string
  /** Ends all probes: the container ended. */
  readonly signal: AbortSignal
  /** Runs a command in the container to its end, or until the signal comes; its exit code. */
  run(command: readonly string[], signal: AbortSignal): Promise<number | null>
}

type Check = (probe: V1Probe, target: Probed, signal: AbortSignal) => Promise<boolean>

/** Each fails by its answer or by throwing. */
const checks: Readonly<Record<'exec' | 'httpGet' | 'tcpSocket', Check>> = {
  exec: async ({ exec }, target, signal) => (await target.run(exec?.command ?? [], signal)) === 0,
  async httpGet({ httpGet: action }, { container, podIP }, signal) {
    const { host = podIP, path = '/', httpHeaders = [], port, scheme } = action ?? {}
    const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]))
    // A certificate for a container is nobody's to check; the kubelet does not either.
    const options = { host, path, headers, agent: false, signal, rejectUnauthorized: false } as const
    const get = scheme === 'HTTPS' ? httpsGet : httpGet
    const request = get({ ...options, port: portOf(port, container) })
    const [{ statusCode }] = await once(request, 'response')
    request.on('error', () => {}).destroy()
    return statusCode >= 200 && statusCode < 400
  },
  async tcpSocket({ tcpSocket }, { container, podIP }, signal) {
    const { host = podIP, port } = tcpSocket ?? {}
    const socket = connect({ host, port: portOf(port, container) })
    try {
      await once(socket, 'connect', { signal })
      return true
    } finally {
      socket.destroy()
    }
  },
}

/** The number of a port, which may be given by its name. */
function portOf(port: unknown, { ports = [] }: Container): number {
  const number = ports.find(({ name }) => name === port)?.containerPort ?? Number(port)
  if (Number.isInteger(number)) return number
  throw new Error(`couldn't find port: ${String(port)}`)
}

/** Whether one probe of a container succeeds. */
export async function probeOnce(probe: V1Probe, target: Probed): Promise<boolean> {
  const check = probe.exec ? checks.exec : probe.httpGet ? checks.httpGet : checks.tcpSocket
  const timeout = AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000)
  return check(probe, target, timeout).catch(() => false)
}

/** Probes in the kubelet's rhythm; gives each result that comes as often in a row as its threshold asks. */
export async function* probeResults(probe: V1Probe, target: Probed): AsyncGenerator<boolean> {
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = probe
  const { signal } = target
  const seconds = (value: number) =>
    delay(value * 1000, undefined, { signal, ref: false }).catch(() => undefined)
  let row = { healthy: true, length: 0 }
  await seconds(initialDelaySeconds)
  while (!signal.aborted) {
    const healthy = await probeOnce(probe, target)
    row = { healthy, length: row.healthy === healthy ? row.length + 1 : 1 }
    if (!signal.aborted && row.length >= (healthy ? successThreshold : failureThreshold)) yield healthy
    await seconds(periodSeconds)
  }
}

/** Who hears how a container does. */
export interface HealthListener {
  onChange(state: { readonly started: boolean; readonly ready: boolean }): void
  /** It is to be started again. */
  onUnhealthy(): void
}

/** Runs the probes of a container that was started: the startup probe first, the others when it has succeeded. */
export async function watchHealth(target: Probed, { onChange, onUnhealthy }: HealthListener): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = target.container
  const started = startupProbe === undefined || (await probeResults(startupProbe, target).next()).value
  if (target.signal.aborted) return
  if (started !== true) return onUnhealthy()
  onChange({ started: true, ready: readinessProbe === undefined })
  const hear = async (probe: V1Probe | undefined, onResult: (healthy: boolean) => void) => {
    if (probe === undefined) return
    for await (const healthy of probeResults(probe, target)) onResult(healthy)
  }
  await Promise.all([
    hear(readinessProbe, (ready) => onChange({ started: true, ready })),
    hear(livenessProbe, (healthy) => healthy || onUnhealthy()),
  ])
}
