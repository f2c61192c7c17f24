import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Container, V1HTTPGetAction, V1Probe } from '@kubernetes/client-node'

/** What probes and hooks need of a running container. */
export interface Probed {
  readonly container: Pick<V1Container, 'ports'>
  readonly podIP: string
  /** Runs a command in the container; its exit code and what it said. */
  run(command: readonly string[], timeoutMs: number): Promise<{ code: number; output: string }>
}

export interface ProbeLoop {
  readonly spec: V1Probe
  readonly target: Probed
  /** Ends the loop. */
  readonly signal: AbortSignal
  /** Hears of each result that counts: as often in a row as its threshold asks. */
  onResult(healthy: boolean, why: string): void
}

/** Probes until the signal comes, in the kubelet's rhythm. */
export async function probeLoop({ spec, target, signal, onResult }: ProbeLoop): Promise<void> {
  const seconds = (value: number) => delay(value * 1000, undefined, { signal, ref: false })
  let row = { healthy: true, length: 0 }
  try {
    await seconds(spec.initialDelaySeconds ?? 0)
    for (;;) {
      const why = await probeOnce(spec, target)
      if (signal.aborted) return
      const healthy = why === undefined
      row = { healthy, length: row.healthy === healthy ? row.length + 1 : 1 }
      const threshold = healthy ? (spec.successThreshold ?? 1) : (spec.failureThreshold ?? 3)
      if (row.length >= threshold) onResult(healthy, why ?? '')
      await seconds(spec.periodSeconds ?? 10)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Why a probe fails; undefined if it succeeds. */
export async function probeOnce(spec: V1Probe, target: Probed): Promise<string | undefined> {
  const timeoutMs = (spec.timeoutSeconds ?? 1) * 1000
  if (spec.exec !== undefined) {
    const { code, output } = await target.run(spec.exec.command ?? [], timeoutMs)
    return code === 0 ? undefined : output || `command exited with code ${code}`
  }
  try {
    if (spec.httpGet !== undefined) await checkHttp(spec.httpGet, target, timeoutMs)
    else
      await checkTcp(
        { host: spec.tcpSocket?.host ?? target.podIP, port: portOf(spec.tcpSocket?.port, target) },
        timeoutMs,
      )
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function checkHttp(spec: V1HTTPGetAction, target: Probed, timeout: number): Promise<void> {
  const https = spec.scheme === 'HTTPS'
  const options = {
    host: spec.host ?? target.podIP,
    port: portOf(spec.port, target),
    path: spec.path ?? '/',
    headers: Object.fromEntries((spec.httpHeaders ?? []).map(({ name, value }) => [name, value])),
    agent: false,
    signal: AbortSignal.timeout(timeout),
    // A certificate for a container is nobody's to check; the kubelet does not either.
    rejectUnauthorized: false,
  } as const
  return new Promise((resolve, reject) => {
    const request = (https ? httpsGet : httpGet)(options, (response) => {
      response.destroy()
      const code = response.statusCode ?? 0
      if (code >= 200 && code < 400) resolve()
      else reject(new Error(`HTTP probe failed with statuscode: ${code}`))
    })
    request.on('error', reject)
  })
}

function checkTcp(address: { host: string; port: number }, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, timeout })
    socket.once('connect', () => resolve(void socket.destroy()))
    socket.once('timeout', () => socket.destroy(new Error('i/o timeout')))
    socket.once('error', reject)
  })
}

/** The number of a port, which may be given by its name. */
function portOf(port: unknown, { container }: Probed): number {
  const number = Number(port)
  if (Number.isInteger(number)) return number
  const named = container.ports?.find(({ name }) => name === port)
  if (named === undefined) throw new Error(`couldn't find port: ${String(port)}`)
  return named.containerPort
}
