import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { type ExecStream, exec } from '../exec.ts'
import { STDOUT } from '../exec-transport.ts'
import { type Peer, type Protocol, startExecServer } from './exec-server.ts'

export const target = { namespace: 'mine', pod: 'p', container: 'c' }
export const protocols: readonly Protocol[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'SPDY/3.1']

/** A command that runs, from both ends. */
export async function running(
  protocol: Protocol,
  signal?: AbortSignal,
): Promise<{ stream: ExecStream; peer: Peer }> {
  const { server, next } = await startExecServer(protocol)
  const client = await server.client()
  const stream = await exec(client, { ...target, command: ['cat', '-u', 'a b&c'], signal })
  onTestFinished(() => {
    stream.on('error', () => undefined).destroy()
  })
  const peer = await next()
  // The first thing that both sides have heard of each other.
  await peer.send(STDOUT, '.')
  await once(stream, 'readable')
  stream.read(1)
  return { stream, peer }
}

/** Resolves when a value has not changed for 100 ms: there is no event for "nothing more happens". */
export async function quiet(value: () => number): Promise<void> {
  for (let before = -1; before !== value(); ) {
    before = value()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
