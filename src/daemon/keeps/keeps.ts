import { KubesyncError, messageOf } from '../../errors.ts'
import type { Pace } from '../waiting.ts'
import type { Log } from '../world.ts'
import { isSamePlace, type KeepOrder, type KeepPlace, overlaps } from './order.ts'
import {
  type KeepRunner,
  type KeptFolder,
  keepRunning,
  runKeep,
  type StartKeep,
  takeKeepLock,
} from './runner.ts'
import { readKeeps, writeKeeps } from './written.ts'

/** Somebody's part in what the process does. */
export interface Share {
  /** Resolves once nothing of it is left: with why it ended by itself, or empty if somebody ended it. */
  readonly ended: Promise<string>
  leave(): Promise<void>
}

/** The folders of manifests that this process keeps in step. */
export interface Keeps {
  readonly status: readonly KeptFolder[]
  /**
   * Begins with a folder. One that `stays` is written down, and goes on when this process is started again. Rejects with KEEP_RUNNING and
   * KEEPS_OVERLAP.
   */
  add(order: KeepOrder, stays: boolean): Promise<Share>
  /** Settles a conflict, or a deletion that waits. */
  resolve(place: KeepPlace, id: string, keep: 'local' | 'remote'): Promise<void>
  /** Ends that of a folder, or all, and forgets that they stay; the folders. */
  end(folder?: string): Promise<string[]>
  /** Ends all; what stays is still written down. */
  stop(): Promise<void>
}

export interface KeepsOptions {
  readonly start: StartKeep
  readonly stateRoot: string
  /** Where those that stay are written down. */
  readonly written: string
  readonly log: Log
  readonly pace: Pace
  /** Called when one ended. */
  readonly changed: () => void
}

interface Kept {
  readonly runner: KeepRunner
  readonly stays: boolean
  readonly ended: (reason: string) => void
}

/** Begins with those that were written down. */
export async function startKeeps(options: KeepsOptions): Promise<Keeps> {
  let kept: readonly Kept[] = []
  const staying = () => kept.filter(({ stays }) => stays).map(({ runner }) => runner.order)
  /** Those that will not go on by themselves. */
  const done = new WeakSet<KeepRunner>()
  /** Writes follow one another; the last has what is so by then. */
  let writing = Promise.resolve()
  const write = () => {
    writing = writing.catch(() => {}).then(() => writeKeeps(options.written, staying()))
    return writing
  }

  function begin(
    order: KeepOrder,
    { stays, lock }: Pick<Kept, 'stays'> & Pick<Parameters<typeof runKeep>[0], 'lock'>,
  ) {
    let ended: Kept['ended'] = () => {}
    const over = new Promise<string>((resolve) => {
      ended = resolve
    })
    const runner = runKeep({ ...options, order, lock })
    const one: Kept = { runner, stays, ended }
    kept = [...kept, one]
    void runner.over.then(() => {
      done.add(runner)
      // Who is there sees it end; what stays is there to be asked why it ended.
      if (!stays) void end(kept.filter((it) => it === one))
    })
    return { one, over }
  }

  async function end(chosen: readonly Kept[]): Promise<void> {
    const reasons = await Promise.all(chosen.map(({ runner }) => runner.stop()))
    kept = kept.filter((one) => !chosen.includes(one))
    for (const [index, { ended }] of chosen.entries()) ended(reasons[index] ?? '')
    if (chosen.length > 0) options.changed()
  }

  for (const order of await readKeeps(options.written)) begin(order, { stays: true, lock: undefined })
  return {
    get status() {
      return kept.map(({ runner, stays }) => ({ ...runner.status, stays }))
    },
    async add(order, stays) {
      const isReplaced = ({ runner }: Kept) => done.has(runner) && isSamePlace(runner.order, order)
      kept = kept.filter((one) => !isReplaced(one))
      const near = kept.find(({ runner }) => overlaps(runner.order, order))
      if (near !== undefined)
        throw near.runner.order.folder === order.folder
          ? keepRunning(order, process.pid)
          : overlap(order, near.runner.order)
      const { one, over } = begin(order, { stays, lock: await takeKeepLock(options.stateRoot, order) })
      options.log({ level: 'info', keep: order.folder, message: wordsOf(order) })
      if (stays) await write()
      const leave = async () => {
        if (!kept.includes(one)) return
        await end([one])
        if (stays) await write()
      }
      return { ended: over, leave }
    },
    async resolve(place, id, keep) {
      const found = kept.find(({ runner }) => isSamePlace(runner.order, place))
      if (found === undefined) throw new KubesyncError('NO_SUCH_KEEP', `${place.folder} is not kept in step`)
      await found.runner.resolve(id, keep)
    },
    async end(folder) {
      const chosen = kept.filter(({ runner }) => folder === undefined || runner.order.folder === folder)
      await end(chosen)
      if (chosen.some(({ stays }) => stays)) await write()
      return chosen.map(({ runner }) => runner.order.folder)
    },
    async stop() {
      await Promise.all(kept.map(({ runner }) => runner.stop()))
      for (const { ended } of kept) ended('')
      await writing.catch((error: unknown) => options.log({ level: 'error', message: messageOf(error) }))
    },
  }
}

const arrows = { 'two-way': '<->', 'to-cluster': '->', 'to-files': '<-' } as const

function wordsOf({ folder, context, namespace, mode }: KeepOrder): string {
  return `keeping ${folder} ${arrows[mode]} ${context} (namespace ${namespace}) in step`
}

function overlap({ folder }: KeepOrder, other: KeepOrder): KubesyncError {
  return new KubesyncError(
    'KEEPS_OVERLAP',
    `${folder} overlaps with ${other.folder}, which is kept in step already`,
    {
      hint: `\`ksync daemon --stop ${other.folder}\` ends that`,
    },
  )
}
