// The built sandbox with many objects in it: `node bench/run.mjs sandbox [OBJECTS]`
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { KubeClient } from '../src/kube/client.ts'
import { loadContext } from '../src/kube/config.ts'
import { listPages } from '../src/kube/list.ts'
import { reflect } from '../src/kube/reflector.ts'

const objects = Number(process.argv[2] ?? 5000)
const cli = resolve('dist/cli.js')
const scratch = mkdtempSync(join(tmpdir(), 'kubesync-bench-'))
const env = { ...process.env, KUBESYNC_HOME: join(scratch, 'home') }
const ROUNDS = 5
/** Requests in flight, as kubectl and controllers send them. */
const WORKERS = 8

function sandbox(...args: string[]): { seconds: number; stdout: string } {
  const started = performance.now()
  const done = spawnSync(process.execPath, [cli, 'sandbox', ...args], { env, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`sandbox ${args.join(' ')}: ${done.stderr}`)
  return { seconds: (performance.now() - started) / 1000, stdout: done.stdout }
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** From the command line's start to its end, when the sandbox answers. */
function upTime(): void {
  const times = Array.from({ length: ROUNDS }, () => {
    const { seconds } = sandbox('up')
    sandbox('down')
    return seconds
  })
  console.log(`up: ${median(times).toFixed(2)} s (median of ${ROUNDS})`)
}

function memory(pid: number): string {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return `${(Number(kibibytes) / 1024).toFixed(0)} MiB resident`
}

function tell(what: string, amount: number, started: number): void {
  const seconds = (performance.now() - started) / 1000
  console.log(`${what}: ${seconds.toFixed(2)} s, ${Math.round(amount / seconds)}/s`)
}

/** Does something for each object, several at a time. */
async function each(work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < objects) await work(next++)
  }
  await Promise.all(Array.from({ length: WORKERS }, worker))
}

const configMap = (index: number, value: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: `bench-${index}`, namespace: 'default', labels: { bench: 'yes' } },
  data: { value, text: 'x'.repeat(500) },
})
const collection = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default' }

/** Resolves once a watch has told of as many changes as there are objects. */
async function watched(client: KubeClient, change: () => Promise<void>): Promise<void> {
  const enough = new AbortController()
  let events = 0
  let started = Number.NaN
  const path = await client.path(collection)
  await reflect(client, { path, labelSelector: 'bench=yes', signal: enough.signal }, (event) => {
    if (event.type === 'synced') {
      started = performance.now()
      void change()
    } else if (event.type === 'modified') {
      events += 1
      if (events === objects) enough.abort()
    }
  })
  tell(`${objects} objects changed, and watched`, objects, started)
}

async function measure(client: KubeClient, pid: number): Promise<void> {
  console.log(`empty: ${memory(pid)}`)
  let started = performance.now()
  await each((index) => client.create(configMap(index, 'first')))
  tell(`${objects} objects created`, objects, started)
  started = performance.now()
  let listed = 0
  for await (const { items } of listPages(client, collection, {})) listed += items.length
  tell(`${listed} objects listed, in pages of 500`, listed, started)
  await watched(client, () =>
    each((index) => client.patch({ ...collection, name: `bench-${index}` }, { data: { value: 'second' } })),
  )
  console.log(`with ${objects} objects: ${memory(pid)}`)
}

try {
  upTime()
  sandbox('up')
  const { pid, kubeconfig } = JSON.parse(sandbox('status', '-o', 'json').stdout)
  const client = new KubeClient(await loadContext({ kubeconfig }))
  await measure(client, pid)
  client.close()
} finally {
  sandbox('down')
  rmSync(scratch, { recursive: true, force: true })
}
