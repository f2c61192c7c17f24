import { KubesyncError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { type ExecRequest, exec } from '../kube/exec.ts'
import { within } from './waiting.ts'

/** What a command says at its end tells why it failed; characters. */
const mostSaid = 2000
/** For how long a command may run, in milliseconds. */
const limitMs = 60_000

/** Runs a command in a container, to its end; rejects with what it said last unless its exit code is 0. */
export async function execute(client: KubeClient, request: ExecRequest): Promise<void> {
  const stream = await exec(client, request)
  let said = ''
  for (const output of [stream, stream.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-mostSaid)
    })
    // How it ends says it.
    output.on('error', () => {})
  }
  stream.end()
  const late = () => new KubesyncError('EXEC_FAILED', `the command has not ended after ${limitMs / 1000} s`)
  const { signal } = new AbortController()
  const exit = await within(stream.exit, { signal, limitMs, late, discard: () => {} }).finally(() =>
    stream.destroy(),
  )
  if (exit.kind === 'exited' && exit.code === 0) return
  const how = exit.kind === 'exited' ? `exit code ${exit.code}` : 'message' in exit ? exit.message : exit.kind
  throw new KubesyncError(
    'EXEC_FAILED',
    `the command failed (${how})${said === '' ? '' : `: ${said.trim()}`}`,
  )
}
