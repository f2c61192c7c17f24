// The built command line beside what people use today, on one tree and one pod, on tmpfs:
//   KUBECONFIG=… KUBECTL=… node bench/run.mjs sync [FILES] [BYTES] [ROUNDS]
// It needs a cluster on this very machine (test/cluster), because it looks into the container from outside.
import { spawn, spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import {
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { findContainer } from '../src/agent/radar.ts'
import { makeTree, random } from '../test/e2e/support/trees.ts'

const [files = 20_000, bytes = 260e6, rounds = 5] = process.argv.slice(2).map(Number)
const kubectl = process.env.KUBECTL ?? 'kubectl'
const cli = resolve('dist/cli.js')
const scratch = mkdtempSync('/dev/shm/kubesync-bench-')
const tree = join(scratch, 'tree')
const namespace = `kubesync-bench-${process.pid}`
const agents = `${namespace}-agents`
const pod = 'bench'
const EDITS = 200

const manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: pod, namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: pod, image: 'docker.io/kubesync-test/plain:1', command: ['sleep', '36000'] }],
  },
}

function must(command: string, args: readonly string[], input = ''): string {
  const done = spawnSync(command, args, { input, encoding: 'utf8', env: environment(), maxBuffer: 1 << 28 })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}${done.stdout}`)
  return done.stdout
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, KUBESYNC_HOME: join(scratch, 'home') }
}

function timed(command: string, args: readonly string[]): number {
  const started = performance.now()
  must(command, args)
  return (performance.now() - started) / 1000
}

const shell = (line: string) => timed('bash', ['-c', `set -eo pipefail; ${line}`])
const inPod = (line: string) => must(kubectl, ['-n', namespace, 'exec', pod, '--', 'sh', '-c', line])
const syncOnce = (local: string, remote: string) =>
  timed(process.execPath, [cli, 'run', '--once', '-n', namespace, '--pod', pod, local, remote])

function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The ways compared take turns, so that a slow minute of the machine is everybody's. */
function race(ways: Readonly<Record<string, (turn: number) => number>>): Record<string, number> {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]))
  for (let turn = 0; turn < rounds; turn++) {
    for (const [name, way] of Object.entries(ways)) times[name]?.push(way(turn))
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]))
}

function table(title: string, seconds: Record<string, number>): void {
  const own = seconds.kubesync ?? Number.NaN
  console.log(`\n${title}`)
  for (const [name, value] of Object.entries(seconds)) {
    console.log(
      `  ${name.padEnd(28)}${value.toFixed(2).padStart(8)} s   kubesync takes ${(own / value).toFixed(2)} of it`,
    )
  }
}

function bulk(): void {
  const exec = `${kubectl} -n ${namespace} exec -i ${pod} --`
  const fresh = (name: string, turn: number) => {
    inPod(`rm -rf /in-*`)
    return `/in-${name}-${turn}`
  }
  table(
    'bulk up',
    race({
      kubesync: (turn) => syncOnce(tree, fresh('kubesync', turn)),
      'tar | kubectl exec tar': (turn) => {
        const to = fresh('tar', turn)
        return shell(`tar cf - -C ${tree} . | ${exec} sh -c 'mkdir ${to} && tar xf - -C ${to}'`)
      },
      'kubectl cp': (turn) => shell(`${kubectl} cp ${tree} ${namespace}/${pod}:${fresh('cp', turn)}`),
    }),
  )
  inPod('rm -rf /in-*')
  syncOnce(tree, '/out')
  const empty = (name: string, turn: number) => {
    rmSync(join(scratch, 'back'), { recursive: true, force: true })
    const path = join(scratch, 'back', `${name}-${turn}`)
    mkdirSync(path, { recursive: true })
    return path
  }
  table(
    'bulk down',
    race({
      kubesync: (turn) => syncOnce(empty('kubesync', turn), '/out'),
      'kubectl exec tar | tar': (turn) =>
        shell(`${exec} tar cf - -C /out . | tar xf - -C ${empty('tar', turn)}`),
      'kubectl cp': (turn) => shell(`${kubectl} cp ${namespace}/${pod}:/out ${empty('cp', turn)}`),
    }),
  )
  rmSync(join(scratch, 'back'), { recursive: true, force: true })
}

/** Milliseconds from a write to the moment its content can be read on the other side. */
async function latency(from: string, to: string, paths: readonly string[]): Promise<number[]> {
  const times: number[] = []
  for (const [index, path] of paths.entries()) {
    const content = `edit ${index} ${performance.now()}\n`
    const target = join(to, path)
    const seen = sees(target, content)
    const started = performance.now()
    writeFileSync(join(from, path), content)
    times.push((await seen) - started)
    await delay(40)
  }
  return times
}

function sees(path: string, content: string): Promise<number> {
  return new Promise((done) => {
    const look = () => {
      try {
        if (readFileSync(path, 'utf8') !== content) return
      } catch {
        return
      }
      watcher.close()
      done(performance.now())
    }
    const watcher: FSWatcher = watch(dirname(path), look)
  })
}

function memory(pid: number): string {
  const field = (file: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1]) /
    1024
  return `resident ${field('status', 'VmRSS').toFixed(0)} MiB, proportional ${field('smaps_rollup', 'Pss').toFixed(0)} MiB`
}

function agentProcesses(): { pid: number; role: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        const ours = args[1] === '-e' && args[2]?.includes('kubesync.agent')
        return ours ? [{ pid: Number(name), role: args[3] ?? '' }] : []
      } catch {
        return []
      }
    })
}

async function live(): Promise<void> {
  const child = spawn(process.execPath, [cli, 'run', '-n', namespace, '--pod', pod, tree, '/live'], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const id = must(kubectl, [
    '-n',
    namespace,
    'get',
    'pod',
    pod,
    '-o',
    'jsonpath={.status.containerStatuses[0].containerID}',
  ])
  const found = findContainer(id)
  if (found === undefined) throw new Error('the container is not on this machine')
  const remote = `/proc/${found.pid}/root/live`
  await inSync(child.stderr)
  const next = random(3)
  const paths = () =>
    Array.from({ length: EDITS }, () => {
      const index = Math.floor(next() * files)
      return `dir ${index % 40}/ünïcode-${Math.floor(index / 400)}/file-${index}.txt`
    })
  await latency(tree, remote, paths().slice(0, 20))
  for (const [title, times] of [
    ['edit here, seen there', await latency(tree, remote, paths())],
    ['edit there, seen here', await latency(remote, tree, paths())],
  ] as const) {
    const show = (share: number) => percentile(times, share).toFixed(1)
    console.log(
      `\n${title}, ${EDITS} edits in ${files} files: p50 ${show(0.5)} ms, p99 ${show(0.99)} ms, worst ${show(1)} ms`,
    )
  }
  console.log(`\nmemory with ${files} files\n  laptop: ${memory(child.pid ?? 0)}`)
  for (const { pid: agent, role } of agentProcesses()) console.log(`  agent's ${role}: ${memory(agent)}`)
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Waits until it says so, and lets it say what it wants from then on. */
async function inSync(stderr: Readable): Promise<void> {
  let said = ''
  for await (const [text] of on(stderr, 'data')) {
    said += text
    if (said.includes('in sync')) break
  }
  stderr.resume()
}

function startUp(): void {
  const ms = (args: string[]) =>
    median(Array.from({ length: 21 }, () => timed(process.execPath, args) * 1000))
  const [bare, own] = [ms(['-e', '0']), ms([cli, '--version'])]
  console.log(
    `\nstart: kubesync --version ${own.toFixed(0)} ms, node -e 0 ${bare.toFixed(0)} ms, ratio ${(own / bare).toFixed(2)}`,
  )
}

try {
  startUp()
  makeTree(tree, { files, bytes, seed: 1 })
  must(kubectl, ['create', 'namespace', namespace])
  must(kubectl, ['apply', '-f', '-'], JSON.stringify(manifest))
  must(kubectl, ['-n', namespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=60s'])
  must(process.execPath, [cli, 'init', '--image', 'docker.io/kubesync-test/node:20', '--namespace', agents])
  bulk()
  await live()
} finally {
  must(process.execPath, [cli, 'clean', '--namespace', agents])
  must(kubectl, ['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])
  rmSync(scratch, { recursive: true, force: true })
}
