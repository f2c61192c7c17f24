// What several replicas on one node cost beside one: `node bench/run.mjs replicas [REPLICAS] [FILES] [BYTES]`
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { type Meter, openMeter } from '../test/e2e/support/meter.ts'

const replicas = Number(process.argv[2] ?? 30)
const files = Number(process.argv[3] ?? 300)
const bytes = Number(process.argv[4] ?? 30_000_000)
const rounds = 5
const cli = resolve('dist/cli.js')
const scratch = mkdtempSync(join(tmpdir(), 'kubesync-bench-'))
const home = join(scratch, 'home')
const kubeconfig = join(scratch, 'metered')
const env = { ...process.env, KUBESYNC_HOME: home, KUBECONFIG: kubeconfig }

const views = v.array(
  v.object({
    sessions: v.array(
      v.object({
        session: v.optional(v.object({ phase: v.string(), applied: v.object({ remote: v.number() }) })),
      }),
    ),
  }),
)

interface Ran {
  readonly input?: string
  readonly kubeconfig?: string
}

/** Its stdout; this process has bytes to pass on meanwhile. */
async function run(command: string, args: string[], { input = '', kubeconfig }: Ran = {}): Promise<string> {
  const child = spawn(command, args, {
    env: kubeconfig === undefined ? env : { ...env, KUBECONFIG: kubeconfig },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.end(input)
  const [out, code] = await Promise.all([text(child.stdout), new Promise((done) => child.once('exit', done))])
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}`)
  return out
}

const ksync = (...args: string[]) => run(process.execPath, [cli, ...args])

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

function deployment(name: string, count: number): string {
  const labels = { app: name }
  const container = { name: 'main', image: 'any', command: ['sleep', '1000000'] }
  const template = {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 0, containers: [container] },
  }
  const spec = { replicas: count, selector: { matchLabels: labels }, template }
  return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec })
}

/** Waits until so many sessions are in sync and have applied as much each. */
async function inSync(count: number, applied: number): Promise<void> {
  for (;;) {
    const sessions = v
      .parse(views, JSON.parse(await ksync('get', '-o', 'json')))
      .flatMap((view) => view.sessions)
    const isDone = (one: (typeof sessions)[number]) =>
      one.session?.phase === 'in-sync' && one.session.applied.remote >= applied
    if (sessions.length === count && sessions.every(isDone)) return
    await delay(20)
  }
}

function change(folder: string, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    writeFileSync(join(folder, `file-${index}`), randomBytes(Math.round(bytes / files)))
  }
}

interface Cost {
  readonly seconds: number
  readonly bytes: number
}

/** Everything that has to be sent at first, and then edits of a tenth of the files. */
async function costOf(count: number, meter: Meter): Promise<{ first: Cost; edits: Cost }> {
  const name = `app${count}`
  const folder = join(scratch, name)
  mkdirSync(folder)
  await run('kubectl', ['apply', '-f', '-'], { input: deployment(name, count) })
  await run('kubectl', ['rollout', 'status', `deployment/${name}`])
  await ksync('create', '--name', name, '-l', `app=${name}`, folder, '/folder')
  await inSync(count, 0)
  const some = Math.max(1, Math.round(files / 10))
  let applied = 0
  async function measure(from: number, to: number): Promise<Cost> {
    const before = meter.sent
    const started = performance.now()
    change(folder, from, to)
    applied += to - from
    await inSync(count, applied)
    return { seconds: (performance.now() - started) / 1000, bytes: meter.sent - before }
  }
  const first = await measure(0, files)
  const edits: Cost[] = []
  for (let round = 0; round < rounds; round++) edits.push(await measure(0, some))
  await ksync('delete', name)
  await run('kubectl', ['delete', 'deployment', name])
  return {
    first,
    edits: { seconds: median(edits.map((one) => one.seconds)), bytes: median(edits.map((one) => one.bytes)) },
  }
}

function tell(what: string, one: Cost, many: Cost): void {
  const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`
  const mb = (value: number) => `${(value / 1e6).toFixed(1)} MB`
  console.log(
    `${what}: 1 replica ${one.seconds.toFixed(2)} s, ${mb(one.bytes)}; ${replicas} replicas ${many.seconds.toFixed(2)} s (${ratio(many.seconds, one.seconds)}), ${mb(many.bytes)} (${ratio(many.bytes, one.bytes)})`,
  )
}

mkdirSync(home)
const plain = { kubeconfig: join(home, 'sandbox/kubeconfig') }
await run(process.execPath, [cli, 'sandbox', 'up', '--nodes', '1'], plain)
const meter = await openMeter({ from: plain.kubeconfig, to: kubeconfig })
const log: string[] = []
try {
  await ksync('init', '--image', 'any')
  const watch = spawn(process.execPath, [cli, 'watch'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [watch.stdout, watch.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const one = await costOf(1, meter)
  const many = await costOf(replicas, meter)
  tell(`${files} files, ${(bytes / 1e6).toFixed(0)} MB`, one.first, many.first)
  tell(`edits of ${Math.round(files / 10)} files`, one.edits, many.edits)
  const status = readFileSync(`/proc/${watch.pid}/status`, 'utf8')
  console.log(
    `the laptop's process: ${(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024).toFixed(0)} MiB at most`,
  )
  watch.kill('SIGINT')
  await new Promise((done) => watch.once('exit', done))
} catch (error) {
  console.error(log.join(''))
  throw error
} finally {
  await run(process.execPath, [cli, 'sandbox', 'down'], plain)
  meter.close()
  rmSync(scratch, { recursive: true, force: true })
}
