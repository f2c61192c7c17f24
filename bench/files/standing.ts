/** A tree that does not change: what it takes to start, and to stand by; and how that grows with the tree. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openLocalReplica } from '../../src/files/replica/local.ts'
import { type Figure, figure, median, type Row } from './figures.ts'
import { agentProcesses, inPod, isHere, startSync, syncOnce } from './lab.ts'
import { costOf, timed, treeOf } from './run.ts'
import { quick, scratch, turns } from './settings.ts'

const REMOTE = '/standing'
/** Seconds for what a start left behind to be cleared away, and for what is measured then. */
const REST = quick ? 60 : 90
const WATCHED = quick ? 10 : 30

/** What was found of a tree of so many files. */
export interface Standing {
  readonly files: number
  /** Seconds, a run each. */
  readonly scan: readonly number[]
  readonly start: readonly number[]
  readonly laptop: Idle
  readonly agent: Idle
}

interface Idle {
  readonly megabytes: number
  readonly proportional: number
  /** Of a core. */
  readonly percent: number
}

/** As many small files as a project has, 25 to a directory. */
function makeFiles(root: string, files: number): void {
  for (let index = 0; index < files; index++) {
    const directory = join(
      root,
      `part-${Math.floor(index / 2500)}`,
      `component-${Math.floor(index / 25) % 100}`,
    )
    if (index % 25 === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `source-file-${index}.ts`), `export const value = ${index}\n`)
  }
}

export async function measureStanding(files: number): Promise<Standing> {
  const local = join(scratch, `standing-${files}`)
  makeFiles(local, files)
  try {
    const scan = await repeated(() => scanOnce(local))
    syncOnce(local, REMOTE)
    const start = await repeated(async () => {
      const before = performance.now()
      const running = await startSync(local, REMOTE)
      const seconds = (performance.now() - before) / 1000
      await running.stop()
      return seconds
    })
    return { files, scan, start, ...(await standBy(local)) }
  } finally {
    rmSync(local, { recursive: true, force: true })
    inPod(`rm -rf ${REMOTE}`)
  }
}

async function repeated(measure: () => Promise<number>): Promise<number[]> {
  const runs: number[] = []
  for (let turn = 0; turn < turns; turn++) runs.push(await measure())
  return runs
}

async function scanOnce(path: string): Promise<number> {
  let close = async () => {}
  const seconds = await timed(async () => {
    const replica = await openLocalReplica(path)
    close = () => replica.close()
  })
  await close()
  return seconds
}

async function standBy(local: string): Promise<{ laptop: Idle; agent: Idle }> {
  const running = await startSync(local, REMOTE)
  try {
    await delay(REST * 1000)
    const laptop = treeOf(running.child.pid ?? 0)
    const agent = isHere() ? agentProcesses() : []
    const before = [costOf(laptop), costOf(agent)]
    await delay(WATCHED * 1000)
    const [here, there] = [laptop, agent].map((pids, i): Idle => {
      const { cpuSeconds, megabytes, proportionalMegabytes } = costOf(pids)
      const percent = ((cpuSeconds - (before[i]?.cpuSeconds ?? 0)) / WATCHED) * 100
      return { megabytes, proportional: proportionalMegabytes, percent }
    })
    if (here === undefined || there === undefined) throw new Error('there are two ends')
    return { laptop: here, agent: there }
  } finally {
    await running.stop()
  }
}

export function startRow({ files, start }: Standing): Row {
  const figures = [figure('kubesync', 's', start)]
  const title = `start with an unchanged ${files.toLocaleString('en')}-file tree, to "in sync"`
  return { name: 'start', title, figures, reaches: [{ what: 's', value: median(start), limit: 1.5 }] }
}

export function idleRow({ files, laptop, agent }: Standing): Row {
  const memory = (who: string, { megabytes, proportional }: Idle): Figure => {
    const note = `resident, pages of files once; ${proportional.toFixed(0)} MB if shared memory is divided among those who share it`
    return { who, unit: 'MB', value: megabytes, note }
  }
  const cpu = (who: string, { percent }: Idle): Figure => ({ who, unit: '% of a core', value: percent })
  const figures = [
    memory('laptop', laptop),
    memory('agent', agent),
    cpu('laptop', laptop),
    cpu('agent', agent),
  ]
  const reaches = [
    { what: 'MB on the laptop', value: laptop.megabytes, limit: 150 },
    { what: 'MB in the agent', value: agent.megabytes, limit: 120 },
    { what: '% of a core on the laptop', value: laptop.percent, limit: 0.5 },
    { what: '% of a core in the agent', value: agent.percent, limit: 0.5 },
  ]
  return { name: 'idle', title: `idle at ${files.toLocaleString('en')} files`, figures, reaches }
}
