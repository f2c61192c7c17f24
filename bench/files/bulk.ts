/** Whole trees: into a pod, out of one, and between two local folders. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, median, missing, type Row, race, ratio } from './figures.ts'
import {
  execWithInput,
  inPod,
  ksync,
  kube,
  namespace,
  pipe,
  pod,
  replicas,
  replicated,
  scale,
  syncOnce,
} from './lab.ts'
import { meter } from './meter.ts'
import { type Peer, withMutagen, withRsync, withSyncthing, withTar, withUnison } from './peers.ts'
import { makeProject } from './project.ts'
import { must, timed } from './run.ts'
import { environment, kubectl, quick, scratch, turns } from './settings.ts'

const FILES = 20_000
const BYTES = 260e6
const TAR = 'tar | kubectl exec tar'
let made: string | undefined

/** 20,000 files, 260 MB; made once. */
function tree(): string {
  if (made === undefined) makeProject(join(scratch, 'tree'), { files: FILES, bytes: BYTES, seed: 1 })
  made = join(scratch, 'tree')
  return made
}

function emptyFolder(name: string): string {
  const path = join(scratch, 'empty', name)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

function emptyInPod(name: string): string {
  inPod('rm -rf /in-*')
  return `/in-${name}`
}

export async function up(): Promise<Row> {
  const from = tree()
  const ways = {
    kubesync: (turn: number) => into(`kubesync-${turn}`, (to) => syncOnce(from, to)),
    [TAR]: (turn: number) =>
      into(`tar-${turn}`, (to) =>
        pipe(`tar cf - -C ${from} . | ${execWithInput} sh -c 'mkdir ${to} && tar xf - -C ${to}'`),
      ),
    'kubectl cp': (turn: number) =>
      into(`cp-${turn}`, (to) =>
        must(kubectl, ['cp', from, `${namespace}/${pod}:${to}`], { env: environment }),
      ),
  }
  const figures = await race(ways, { turns, unit: 's' })
  inPod('rm -rf /in-*')
  return { name: 'up', title: '20,000 files, 260 MB into a pod', figures, reaches: [ratio(figures, TAR, 1)] }
}

function into(name: string, action: (to: string) => unknown): Promise<number> {
  const to = emptyInPod(name)
  return timed(() => action(to))
}

export async function down(): Promise<Row> {
  inPod('rm -rf /out')
  syncOnce(tree(), '/out')
  const out = (name: string, action: (to: string) => unknown) => {
    const to = emptyFolder(name)
    return timed(() => action(to))
  }
  const ways = {
    kubesync: () => out('kubesync', (to) => syncOnce(to, '/out')),
    [TAR]: () => out('tar', (to) => pipe(`${execWithInput} tar cf - -C /out . | tar xf - -C ${to}`)),
    'kubectl cp': () =>
      out('cp', (to) => must(kubectl, ['cp', `${namespace}/${pod}:/out`, to], { env: environment })),
  }
  const figures = await race(ways, { turns, unit: 's' })
  rmSync(join(scratch, 'empty'), { recursive: true, force: true })
  inPod('rm -rf /out')
  return {
    name: 'down',
    title: '20,000 files, 260 MB out of a pod',
    figures,
    reaches: [ratio(figures, TAR, 1)],
  }
}

export async function local(): Promise<Row> {
  const from = tree()
  const between = (name: string, peer: Peer) => () => peer(from, emptyFolder(name))
  const ways = {
    kubesync: between('kubesync', withKubesync),
    'tar | tar': between('tar', withTar),
    rsync: between('rsync', withRsync),
    unison: between('unison', withUnison),
    mutagen: between('mutagen', withMutagen),
    syncthing: between('syncthing', withSyncthing),
  }
  const figures = await race(ways, { turns, unit: 's' })
  rmSync(join(scratch, 'empty'), { recursive: true, force: true })
  const reaches = [
    ratio(figures, 'unison', 0.5),
    ratio(figures, 'mutagen', 0.9),
    ratio(figures, 'syncthing', 0.2),
  ]
  return { name: 'local', title: 'the same between two local folders, no Kubernetes', figures, reaches }
}

/** The engine in a process of its own, as everybody's. */
const withKubesync: Peer = (from, to) => {
  const [node, main = ''] = [process.execPath, process.argv[1]]
  const state = join(scratch, 'state')
  rmSync(state, { recursive: true, force: true })
  return timed(() => must(node, [main, 'local-sync', from, to, state]))
}

export async function fanOut(): Promise<Row> {
  const count = quick ? 5 : 30
  const title = `${count} replicas on a node (2,000 files, 26 MB)`
  const from = join(scratch, 'small tree')
  makeProject(from, { files: 2000, bytes: 26e6, seed: 2 })
  const one = await carried(1, from)
  const all = await carried(count, from)
  scale(0)
  rmSync(from, { recursive: true, force: true })
  const figures = [named(`${count} replicas`, 's', all.seconds), named('1 replica', 's', one.seconds)]
  const uploads = [
    named(`upload to ${count}`, 'MB', all.megabytes),
    named('upload to 1', 'MB', one.megabytes),
  ]
  const reaches = [
    { ...ratio(figures, '1 replica', 1.5), what: "× one replica's time" },
    { ...ratio(uploads, 'upload to 1', 1.5), what: "× one replica's upload" },
  ]
  return { name: 'replicas', title, figures: [...figures, ...uploads], reaches }
}

interface Carried {
  readonly seconds: readonly number[] | string
  readonly megabytes: readonly number[] | string
}

function named(who: string, unit: string, runs: readonly number[] | string): Figure {
  return typeof runs === 'string' ? missing(who, unit, runs) : { who, unit, runs, value: median(runs) }
}

/** The same tree to so many pods, from nothing to "all have all of it". */
async function carried(count: number, from: string): Promise<Carried> {
  scale(count)
  const names = replicas()
  const metered = await meter()
  const seconds: number[] = []
  const megabytes: number[] = []
  try {
    for (let turn = 0; turn < turns; turn++) {
      const to = `/in-${turn}`
      const before = metered.sent()
      const all = ['--pods', 'all']
      const args = [
        'run',
        '--once',
        '-n',
        namespace,
        '-l',
        `app=${replicated}`,
        ...(count > 1 ? all : []),
        from,
        to,
      ]
      seconds.push(await timed(() => ksync(args, { ...environment, KUBECONFIG: metered.kubeconfig })))
      megabytes.push((metered.sent() - before) / 1e6)
      for (const name of names) {
        const files = Number(
          kube(['exec', name, '--', 'sh', '-c', `find ${to} -type f | wc -l; rm -rf ${to}`]),
        )
        if (files < 2000) throw new Error(`${name} has ${files} of 2,000 files`)
      }
    }
    return { seconds, megabytes }
  } catch (error) {
    const note =
      error instanceof Error
        ? (error.message.split('\n').find((line) => /error|has/.test(line)) ?? error.message)
        : String(error)
    return { seconds: note, megabytes: note }
  } finally {
    metered.close()
  }
}
