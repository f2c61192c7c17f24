/** One megabyte inserted at the head of a large file. */
import { closeSync, linkSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { random } from '../../test/e2e/support/trees.ts'
import { figure, type Row, ratio } from './figures.ts'
import { inPod, namespace, pod, rootOfPod } from './lab.ts'
import { type Meter, meter } from './meter.ts'
import { must, start, timed, until } from './run.ts'
import { cli, environment, quick, scratch, turns } from './settings.ts'

const MEGABYTE = 1e6
const SIZE = quick ? 200 * MEGABYTE : 1000 * MEGABYTE
const REMOTE = '/large'
/** Milliseconds. */
const READY = 5000

/** Content that cannot be compressed, and in which nothing repeats. */
function writeRandom(path: string, { size, seed }: { size: number; seed: number }): void {
  const next = random(seed)
  const fd = openSync(path, 'w')
  for (let left = size; left > 0; left -= MEGABYTE) {
    const chunk = new Uint32Array(MEGABYTE / 4).map(() => next() * 2 ** 32)
    writeSync(fd, new Uint8Array(chunk.buffer))
  }
  closeSync(fd)
}

interface Stage {
  readonly folder: string
  readonly file: string
  /** A folder with the file as it was, for rsync. */
  readonly copy: string
  /** The file in the pod, as this machine sees it. */
  readonly there: string
  readonly metered: Meter
  readonly env: NodeJS.ProcessEnv
}

type Measured = Readonly<Record<'seconds' | 'sent', number>>

export async function headInsert(): Promise<Row> {
  const [folder, copy] = [join(scratch, 'large'), join(scratch, 'large copy')]
  for (const one of [folder, copy]) mkdirSync(one)
  const file = join(folder, 'file.bin')
  writeRandom(file, { size: SIZE, seed: 1 })
  must('cp', ['-p', file, copy])
  const metered = await meter()
  const env = { ...environment, KUBECONFIG: metered.kubeconfig }
  try {
    return rowOf(
      await measure({ folder, file, copy, metered, env, there: `${rootOfPod()}${REMOTE}/file.bin` }),
    )
  } finally {
    metered.close()
    for (const one of [folder, copy]) rmSync(one, { recursive: true, force: true })
    inPod(`rm -rf ${REMOTE}`)
  }
}

/** While a sync runs, with one that starts for it, and by rsync, in turns. */
async function measure(stage: Stage): Promise<Readonly<Record<Way, Measured[]>>> {
  const found: Record<Way, Measured[]> = { running: [], once: [], rsync: [] }
  syncOnce(stage)
  for (let turn = 0; turn < turns; turn++) {
    const running = start(process.execPath, [cli, 'run', ...target(stage)], stage.env)
    await running.says('in sync')
    // What it makes ready for the next version of a large file, it makes when nothing else is to be done.
    await delay(READY)
    found.running.push(
      await measured(stage, turn * 2 + 2, () => until('it arrives', () => hasArrived(stage))),
    )
    // Cut before both sides agree, it would have the next start find out what arrived.
    await running.says('1 sent')
    await running.stop()
    found.rsync.push(byRsync(stage))
    found.once.push(await measured(stage, turn * 2 + 3, () => syncOnce(stage)))
    if (!hasArrived(stage)) throw new Error('it did not arrive')
    byRsync(stage)
  }
  return found
}

const target = ({ folder }: Stage) => ['-n', namespace, '--pod', pod, folder, REMOTE]

function syncOnce(stage: Stage): void {
  must(process.execPath, [cli, 'run', '--once', ...target(stage)], { env: stage.env })
}

function hasArrived({ file, there }: Stage): boolean {
  return statSync(there).size === statSync(file).size
}

async function measured({ file, metered }: Stage, seed: number, sync: () => unknown): Promise<Measured> {
  const [next, old] = [join(scratch, 'new'), join(scratch, 'old')]
  writeRandom(next, { size: MEGABYTE, seed })
  must('bash', ['-c', `cat '${file}' >>'${next}'`])
  // With another name, what is replaced need not be freed, which takes a while.
  linkSync(file, old)
  const before = metered.sent()
  const seconds = await timed(() => {
    renameSync(next, file)
    return sync()
  })
  rmSync(old)
  return { seconds, sent: (metered.sent() - before) / MEGABYTE }
}

function byRsync({ file, copy }: Stage): Measured {
  const began = performance.now()
  const said = must('rsync', ['-a', '--no-whole-file', '--stats', file, `${copy}/`])
  const seconds = (performance.now() - began) / 1000
  const sent = Number(/Total bytes sent: ([\d,]+)/.exec(said)?.[1]?.replaceAll(',', '')) / MEGABYTE
  return { seconds, sent }
}

const names = {
  running: 'kubesync, which runs already',
  once: 'kubesync run --once',
  rsync: 'rsync, two local folders',
} as const
type Way = keyof typeof names

function rowOf(found: Readonly<Record<Way, readonly Measured[]>>): Row {
  const ways = ['running', 'once', 'rsync'] as const
  const of = (what: keyof Measured, unit: string) =>
    ways.map((way) =>
      figure(
        names[way],
        unit,
        found[way].map((one) => one[what]),
      ),
    )
  const [times, bytes] = [of('seconds', 's'), of('sent', 'MB')]
  const reaches = [
    { ...ratio(bytes, names.rsync, 1.1), what: "× rsync's bytes" },
    { ...ratio(times, names.rsync, 1), what: "× rsync's time" },
  ]
  const title = `1 MB inserted at the head of a ${SIZE / MEGABYTE} MB file`
  return { name: 'delta', title, figures: [...times, ...bytes], reaches }
}
