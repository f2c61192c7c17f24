import type { FileLock } from '../../config/lock.ts'
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
  /** Whether it will not go on by itself. */
  isOver: boolean
}

interface Room {
  readonly options: KeepsOptions
  kept: readonly Kept[]
  /** Writes follow one another. */
  writing: Promise<void>
}

/** Begins with those that were written down. */
export async function startKeeps(options: KeepsOptions): Promise<Keeps> {
  const room: Room = { options, kept: [], writing: Promise.resolve() }
  for (const order of await readKeeps(options.written)) begin(room, { order, stays: true, lock: undefined })
  return {
    get status() {
      return room.kept.map(({ runner, stays }) => ({ ...runner.status, stays }))
    },
    add: (order, stays) => add(room, order, stays),
    async resolve(place, id, keep) {
      const found = room.kept.find(({ runner }) => isSamePlace(runner.order, place))
      if (found === undefined) throw new KubesyncError('NO_SUCH_KEEP', `${place.folder} is not kept in step`)
      await found.runner.resolve(id, keep)
    },
    async end(folder) {
      const isMeant = ({ runner }: Kept) => folder === undefined || runner.order.folder === folder
      const chosen = room.kept.filter(isMeant)
      await end(room, chosen)
      return chosen.map(({ runner }) => runner.order.folder)
    },
    async stop() {
      await Promise.all(room.kept.map(({ runner }) => runner.stop()))
      for (const { ended } of room.kept) ended('')
      await room.writing.catch((error: unknown) => options.log({ level: 'error', message: messageOf(error) }))
    },
  }
}

async function add(room: Room, order: KeepOrder, stays: boolean): Promise<Share> {
  const { log, stateRoot } = room.options
  room.kept = room.kept.filter(({ isOver, runner }) => !(isOver && isSamePlace(runner.order, order)))
  const near = room.kept.find(({ runner }) => overlaps(runner.order, order))?.runner.order
  if (near?.folder === order.folder) throw keepRunning(order, process.pid)
  if (near !== undefined) throw overlap(order, near)
  const lock = await takeKeepLock(stateRoot, order)
  const { one, ended } = begin(room, { order, stays, lock })
  log({ level: 'info', keep: order.folder, message: wordsOf(order) })
  try {
    if (stays) await write(room)
  } catch (error) {
    await end(room, [one])
    throw error
  }
  return { ended, leave: () => end(room, [one]) }
}

interface Beginning extends Pick<Kept, 'stays'> {
  readonly order: KeepOrder
  readonly lock: FileLock | undefined
}

function begin(room: Room, { order, stays, lock }: Beginning): { one: Kept; ended: Promise<string> } {
  let over: Kept['ended'] = () => {}
  const ended = new Promise<string>((resolve) => {
    over = resolve
  })
  const one: Kept = { runner: runKeep({ ...room.options, order, lock }), stays, ended: over, isOver: false }
  room.kept = [...room.kept, one]
  void one.runner.over.then(() => {
    one.isOver = true
    // Who is there sees it end; what stays is there to be asked why it ended.
    if (!stays) return end(room, [one])
  })
  return { one, ended }
}

/** Ends those that have not ended yet. It is on the disk first, so that they do not come back after a crash. */
async function end(room: Room, given: readonly Kept[]): Promise<void> {
  const chosen = given.filter((one) => room.kept.includes(one))
  if (chosen.some(({ stays }) => stays)) await write(room, chosen).catch(() => {})
  const reasons = await Promise.all(chosen.map(({ runner }) => runner.stop()))
  room.kept = room.kept.filter((one) => !chosen.includes(one))
  for (const [index, { ended }] of chosen.entries()) ended(reasons[index] ?? '')
  if (chosen.length > 0) room.options.changed()
}

/** Writes down what stays, but for those. */
function write(room: Room, without: readonly Kept[] = []): Promise<void> {
  const isMeant = (one: Kept) => one.stays && !without.includes(one)
  room.writing = room.writing
    .catch(() => {})
    .then(() =>
      writeKeeps(
        room.options.written,
        room.kept.filter(isMeant).map(({ runner }) => runner.order),
      ),
    )
  return room.writing
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
