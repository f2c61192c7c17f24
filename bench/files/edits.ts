/** Small changes while a sync runs: one file, and many at once. */
import { mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { random } from '../../test/e2e/support/trees.ts'
import { figure, missing, percentile, type Row, ratio } from './figures.ts'
import { execWithInput, inPod, isHere, pipe, startSync } from './lab.ts'
import { type Content, now, type Observer, startObserver } from './observer.ts'
import { makeProject } from './project.ts'
import { edits, scratch, turns } from './settings.ts'

const FILES = 20_000
const BURST = 2000
const WARM_UP = 20
const REMOTE = '/live'
const PIPE = 'tar | kubectl exec tar'

/** What `makeTree` calls a file. */
const pathOf = (index: number) => `dir ${index % 40}/ünïcode-${Math.floor(index / 400)}/file-${index}.txt`

/** Both rows share one running sync. */
export async function live(): Promise<Row[]> {
  if (!isHere()) return [elsewhere('edits'), elsewhere('burst')]
  const local = join(scratch, 'live')
  makeProject(local, { files: FILES, bytes: 260e6, seed: 1 })
  const observer = await startObserver()
  const running = await startSync(local, REMOTE)
  try {
    return [await oneByOne(local, observer), await atOnce(local, observer)]
  } finally {
    await running.stop()
    observer.stop()
    rmSync(local, { recursive: true, force: true })
    inPod(`rm -rf ${REMOTE}`)
  }
}

function elsewhere(name: string): Row {
  const note = 'the pod runs on another machine, with another clock'
  return { name, title: name, figures: [missing('kubesync', 'ms', note)], reaches: [] }
}

async function oneByOne(local: string, observer: Observer): Promise<Row> {
  const next = random(3)
  const paths = () => Array.from({ length: WARM_UP + edits }, () => pathOf(Math.floor(next() * FILES)))
  const up = await each(paths(), async (path, content) => {
    const { seen } = await observer.see([[`${REMOTE}/${path}`, content]])
    const began = now()
    writeFileSync(join(local, path), content)
    return (await seen) - began
  })
  const down = await each(paths(), async (path, content) => {
    const seen = sees(join(local, path), content)
    const began = await observer.write([`${REMOTE}/${path}`, content])
    return (await seen) - began
  })
  const directions = { 'laptop to container': up, 'container to laptop': down }
  const figures = Object.entries(directions).map(([who, runs]) => figure(who, 'ms', runs))
  const reaches = Object.entries(directions).flatMap(([who, runs]) => [
    { what: `ms p50, ${who}`, value: percentile(runs, 0.5), limit: 10 },
    { what: `ms p99, ${who}`, value: percentile(runs, 0.99), limit: 50 },
  ])
  return { name: 'edits', title: 'one edit in a 20,000-file tree, seen on the other side', figures, reaches }
}

async function each(
  paths: readonly string[],
  edit: (path: string, content: string) => Promise<number>,
): Promise<number[]> {
  const times: number[] = []
  for (const [index, path] of paths.entries()) {
    times.push(await edit(path, `edit ${index} ${now()}\n`))
    await delay(40)
  }
  return times.slice(WARM_UP)
}

/** The time at which a file here holds that. */
function sees(path: string, content: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds(path, content)) return
      watcher.close()
      resolve(now())
    }
    const watcher = watch(dirname(path), look)
  })
}

function holds(path: string, content: string): boolean {
  try {
    return readFileSync(path, 'utf8') === content
  } catch {
    return false
  }
}

/** As a switch of branches does it: in every tenth file of the tree, another content. */
async function atOnce(local: string, observer: Observer): Promise<Row> {
  const runs: Record<'kubesync' | 'tar', number[]> = { kubesync: [], tar: [] }
  const paths = Array.from({ length: BURST }, (_, index) => pathOf(index * (FILES / BURST)))
  const plain = join(scratch, 'plain')
  for (let turn = 0; turn < turns; turn++) {
    const contents = paths.map((path): Content => [path, `${path} in turn ${turn}\n`.repeat(200)])
    runs.kubesync.push(await carried(contents, { from: local, to: REMOTE, observer, after: () => {} }))
    await delay(500)
    const list = join(scratch, 'list')
    writeFileSync(list, paths.join('\n'))
    const after = () => pipe(`tar cf - -C ${plain} -T ${list} | ${execWithInput} tar xf - -C /plain`)
    inPod('rm -rf /plain; mkdir /plain')
    runs.tar.push(await carried(contents, { from: plain, to: '/plain', observer, after }))
  }
  rmSync(plain, { recursive: true, force: true })
  inPod('rm -rf /plain')
  const figures = [figure('kubesync', 's', runs.kubesync), figure(PIPE, 's', runs.tar)]
  const title = '2,000 files changed at once, from the first change to the last seen in the container'
  return { name: 'burst', title, figures, reaches: [ratio(figures, PIPE, 1.5)] }
}

interface Way {
  readonly from: string
  readonly to: string
  readonly observer: Observer
  /** What carries the changes over, unless that happens by itself. */
  readonly after: () => void
}

/** Seconds for many changes to be seen, the changing included. */
async function carried(contents: readonly Content[], { from, to, observer, after }: Way): Promise<number> {
  for (const [path] of contents) mkdirSync(dirname(join(from, path)), { recursive: true })
  const { seen } = await observer.see(contents.map(([path, content]): Content => [`${to}/${path}`, content]))
  const began = now()
  for (const [path, content] of contents) writeFileSync(join(from, path), content)
  after()
  return ((await seen) - began) / 1000
}
