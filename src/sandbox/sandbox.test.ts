import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { askDown, askStatus } from './control-client.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

let home: string
let dir: string
let sandbox: Sandbox

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'kubesync-sandbox-'))
  dir = join(home, 'sandbox')
  sandbox = await startSandbox({ dir, nodes: 2 })
})

afterEach(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true, force: true })
})

interface Answer {
  readonly code: number | undefined
  readonly body: Record<string, unknown>
}

/** Asks as a client does that has nothing but the kubeconfig. */
async function ask(
  path: string,
  { method = 'GET', body }: { method?: string; body?: unknown } = {},
): Promise<Answer> {
  const config = parse(readFileSync(sandbox.kubeconfig, 'utf8'))
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster
  const sent = request(new URL(path, server), {
    ...{ method, ca: Buffer.from(ca, 'base64'), agent: false },
    headers: { authorization: `Bearer ${config.users[0].user.token}`, 'content-type': 'application/json' },
  })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { code: response.statusCode, body: JSON.parse(text) }
}

const pods = '/api/v1/namespaces/default/pods'
const phaseOf = async (name: string) =>
  ((await ask(`${pods}/${name}`)).body.status as { phase?: string }).phase

async function runPod(): Promise<void> {
  const containers = [{ name: 'main', image: 'any', command: ['sleep', '1000000'] }]
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers, terminationGracePeriodSeconds: 0 },
  }
  expect((await ask(pods, { method: 'POST', body })).code).toBe(201)
  await expect.poll(() => phaseOf('web'), { timeout: 10_000 }).toBe('Running')
}

describe.runIf(process.platform === 'linux')('a sandbox', () => {
  it('is reached with its kubeconfig, which only this user may read', async () => {
    expect(statSync(sandbox.kubeconfig).mode & 0o777).toBe(0o600)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(parse(readFileSync(sandbox.kubeconfig, 'utf8'))['current-context']).toBe('kubesync-sandbox')
    expect((await ask('/version')).body.gitVersion).toMatch(/^v1\.\d+\.\d+\+kubesync\.sandbox$/)
  })

  it('has the nodes that were asked for, and tells what runs', async () => {
    await runPod()
    const status = await askStatus(join(dir, 'control.sock'))
    expect(status).toMatchObject({
      pid: process.pid,
      server: sandbox.server,
      pods: { running: 1, total: 1 },
      nodes: [
        { name: 'node-1', ready: true, pods: 1 },
        { name: 'node-2', ready: true, pods: 0 },
      ],
      faults: [],
    })
  })

  it('hands out its CA in each namespace', async () => {
    const path = '/api/v1/namespaces/default/configmaps/kube-root-ca.crt'
    await expect.poll(async () => (await ask(path)).code).toBe(200)
    const { data } = (await ask(path)).body as { data: Record<string, string> }
    const { clusters } = parse(readFileSync(sandbox.kubeconfig, 'utf8'))
    const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString()
    expect(data['ca.crt']).toBe(ca)
  })

  it('keeps its data, port and certificate while its API server is stopped', async () => {
    await runPod()
    await sandbox.faults.carryOut({ fault: 'stop-server' })
    await expect(ask(pods)).rejects.toThrow('ECONNREFUSED')
    await sandbox.faults.carryOut({ fault: 'start-server' })
    expect(await phaseOf('web')).toBe('Running')
  })

  it('leaves nothing behind when it ends', async () => {
    await runPod()
    await askDown(join(dir, 'control.sock'))
    await sandbox.downAsked
    await sandbox.close()
    expect(existsSync(dir)).toBe(false)
    sandbox = await startSandbox({ dir })
    expect((await ask(pods)).body.items).toEqual([])
  })
})
