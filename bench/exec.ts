// Our exec stream beside `kubectl exec`, into the same pod: `KUBECONFIG=… node bench/run.mjs exec [MEGABYTES]`.
// KUBESYNC_BENCH_IMAGE names an image with sh, cat and head; KUBECTL the kubectl to compare with.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { V1Pod } from '@kubernetes/client-node'
import { KubeClient } from '../src/kube/client.ts'
import { loadContext } from '../src/kube/config.ts'
import { type ExecStream, exec } from '../src/kube/exec.ts'
import type { Json } from '../src/kube/json.ts'
import { reflect } from '../src/kube/reflector.ts'

const BYTES = Number(process.argv[2] ?? 512) * 1e6
const IMAGE = process.env.KUBESYNC_BENCH_IMAGE ?? 'docker.io/kubesync-test/plain:1'
const KUBECTL = process.env.KUBECTL ?? 'kubectl'
const POD = `kubesync-bench-${process.pid}`
const ROUND_TRIPS = 200
const WARM_UP = 50
const ROUNDS = 5

/** A command with a stdin and a stdout, whoever runs it. */
interface Running {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly ended: Promise<unknown>
}

type Run = (command: readonly string[]) => Promise<Running>

function ours(client: KubeClient): Run {
  return async (command) => {
    const { namespace } = client.context
    const stream: ExecStream = await exec(client, { namespace, pod: POD, container: POD, command })
    return { stdin: stream, stdout: stream, ended: stream.exit }
  }
}

function kubectls(namespace: string): Run {
  return async (command) => {
    const args = ['-n', namespace, 'exec', '-i', POD, '--', ...command]
    const child: ChildProcess = spawn(KUBECTL, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdin, stdout } = child
    if (stdin === null || stdout === null) throw new Error('a piped process has pipes')
    return { stdin, stdout, ended: once(child, 'exit') }
  }
}

/** Megabytes a second into the pod: the command ends by itself when it has them all. */
async function up(run: Run): Promise<number> {
  const started = performance.now()
  const { stdin, stdout, ended } = await run(['sh', '-c', `head -c ${BYTES} >/dev/null; true`])
  stdout.resume()
  const chunk = Buffer.alloc(1e6, 'kubesync')
  for (let sent = 0; sent < BYTES; sent += chunk.length) {
    if (!stdin.write(chunk)) await Promise.race([once(stdin, 'drain'), ended])
  }
  stdin.end()
  await ended
  return BYTES / 1e3 / (performance.now() - started)
}

/** Megabytes a second out of the pod. */
async function down(run: Run): Promise<number> {
  const started = performance.now()
  const { stdin, stdout } = await run(['head', '-c', String(BYTES), '/dev/zero'])
  let received = 0
  await pipeline(stdout, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) received += chunk.length
  })
  stdin.destroy()
  if (received !== BYTES) throw new Error(`${received} bytes came of ${BYTES}`)
  return BYTES / 1e3 / (performance.now() - started)
}

/** Milliseconds for one byte there and back: the median. */
async function roundTrip(run: Run): Promise<number> {
  const { stdin, stdout } = await run(['cat'])
  const times: number[] = []
  for (let turn = 0; turn < WARM_UP + ROUND_TRIPS; turn++) {
    const started = performance.now()
    stdin.write('x')
    await once(stdout, 'data')
    if (turn >= WARM_UP) times.push(performance.now() - started)
  }
  stdin.destroy()
  return times.sort((a, b) => a - b)[ROUND_TRIPS / 2] ?? Number.NaN
}

/** Both in turn, and the best of each: what else the machine does is none of theirs. */
async function best(measure: (run: Run) => Promise<number>, pair: readonly Run[], better: typeof Math.max) {
  const results = pair.map((): number[] => [])
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [index, run] of pair.entries()) results[index]?.push(await measure(run))
  }
  return results.map((values) => better(...values))
}

async function startPod(client: KubeClient): Promise<void> {
  const { namespace } = client.context
  await client.apply(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: POD, namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: POD, image: IMAGE, command: ['sleep', '3600'] }],
      },
    },
    { fieldManager: 'kubesync-bench' },
  )
  const running = new AbortController()
  const isRunning = (pod: Json<V1Pod>) => pod.status?.phase === 'Running'
  const path = await client.path({ apiVersion: 'v1', plural: 'pods', namespace })
  const options = { path, fieldSelector: `metadata.name=${POD}`, signal: running.signal }
  await reflect<Json<V1Pod>>(client, options, (event) => {
    const pods = event.type === 'synced' ? event.items : event.type === 'state' ? [] : [event.object]
    if (pods.some(isRunning)) running.abort()
  })
}

function row(
  what: string,
  [our = 0, theirs = 0]: number[],
  { unit, ratio }: { unit: string; ratio: number },
): string {
  const cells = [our.toFixed(2), theirs.toFixed(2), ratio.toFixed(2)].map((cell) => cell.padStart(10))
  return `${what.padEnd(18)}${cells.join('')}  ${unit}`
}

const client = new KubeClient(await loadContext())
await startPod(client)
try {
  const pair = [ours(client), kubectls(client.context.namespace)]
  console.log(`${''.padEnd(18)}${['kubesync', 'kubectl', 'ratio'].map((head) => head.padStart(10)).join('')}`)
  for (const [what, measure] of [
    ['bulk up', up],
    ['bulk down', down],
  ] as const) {
    const values = await best(measure, pair, Math.max)
    console.log(row(what, values, { unit: 'MB/s', ratio: (values[0] ?? 0) / (values[1] ?? 0) }))
  }
  const values = await best(roundTrip, pair, Math.min)
  console.log(row('round trip p50', values, { unit: 'ms', ratio: (values[1] ?? 0) / (values[0] ?? 0) }))
  console.log('A ratio above 1 means that kubesync is faster.')
} finally {
  await client.delete({ apiVersion: 'v1', plural: 'pods', namespace: client.context.namespace, name: POD })
  client.close()
}
