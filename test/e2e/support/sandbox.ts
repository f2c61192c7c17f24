import { request } from 'node:http'
import { join } from 'node:path'
import { cli } from './agent.ts'
import { Running } from './run.ts'
import { until } from './until.ts'

/** A sandbox of the built command line that nobody else uses. */
export interface Sandbox {
  readonly kubeconfig: string
  /** Where it listens for faults. */
  readonly socket: string
  close(): Promise<void>
}

/** Ends a process when whoever started it is gone, killed or not: then nobody holds the other end of its stdin. */
const endsWithUs = `data:text/javascript,${encodeURIComponent(
  "process.stdin.resume().unref().on('end', () => process.kill(process.pid, 'SIGTERM'))",
)}`

/** In the foreground, so that a signal which ends the tests ends it, too. */
export async function startSandbox(home: string, nodes = 1): Promise<Sandbox> {
  const env = { ...process.env, KUBESYNC_HOME: home, KUBESYNC_CONFIG: '' }
  const args = ['--import', endsWithUs, cli, 'sandbox', 'up', '--foreground', '--nodes', String(nodes)]
  const running = new Running(process.execPath, args, { env })
  try {
    await until('the sandbox is up', () => running.stderr, { holds: (said) => said.includes('is up') })
  } catch (error) {
    await running.end()
    throw error
  }
  return {
    kubeconfig: join(home, 'sandbox', 'kubeconfig'),
    socket: join(home, 'sandbox', 'control.sock'),
    async close() {
      const { code, stderr } = await running.end()
      if (code !== 0) throw new Error(`the sandbox ended with ${code}, and had said:\n${stderr}`)
    },
  }
}

/** What a sandbox can make go wrong; src/sandbox/control.ts has them all. */
export interface Fault {
  readonly fault: string
  readonly [detail: string]: unknown
}

/** Has it go wrong in the sandbox that listens there; what came of it. */
export async function fault(socketPath: string, what: Fault): Promise<unknown> {
  const body = JSON.stringify(what)
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/faults', agent: false }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      if (response.statusCode === 200) resolve((JSON.parse(text) as { result: unknown }).result)
      else reject(new Error(`${body}: ${response.statusCode} ${text}`))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
