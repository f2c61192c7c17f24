import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { cli } from './agent.ts'
import { must, run } from './run.ts'

/** A sandbox of the built command line that nobody else uses. */
export interface Sandbox {
  readonly kubeconfig: string
  /** Where it listens for faults. */
  readonly socket: string
  close(): Promise<void>
}

export async function startSandbox(home: string, nodes = 1): Promise<Sandbox> {
  await must(process.execPath, [cli, 'sandbox', 'up', '--nodes', String(nodes)], { env: envOf(home) })
  return {
    kubeconfig: join(home, 'sandbox', 'kubeconfig'),
    socket: join(home, 'sandbox', 'control.sock'),
    async close() {
      if (await endSandbox(home)) return
      const log = readFileSync(join(home, 'logs', 'sandbox.log'), 'utf8')
      throw new Error(`the sandbox ended by itself, and had said:\n${log}`)
    },
  }
}

/** Ends the sandbox that has its state there; whether one ran. */
export async function endSandbox(home: string): Promise<boolean> {
  const { code, stdout, stderr } = await run(process.execPath, [cli, 'sandbox', 'down'], { env: envOf(home) })
  if (code !== 0) throw new Error(`sandbox down exited with ${code}:\n${stderr}${stdout}`)
  return stderr.includes('is down')
}

function envOf(home: string): NodeJS.ProcessEnv {
  return { ...process.env, KUBESYNC_HOME: home, KUBESYNC_CONFIG: '' }
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
