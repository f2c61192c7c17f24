import { errnoOf, messageOf } from '../../errors.ts'
import type { Dir } from '../replica/dir.ts'
import { openDirectory } from '../replica/open-directory.ts'
import type { Item } from './catalog.ts'
import { localTrash } from './local-trash.ts'
import { TrashPass } from './pass.ts'
import { lookAtPlace, type Occupant, restore } from './restore.ts'
import { discard } from './sweep.ts'

/** Something that is to be brought back, and what is at its place. */
export interface Step {
  readonly item: Item
  readonly occupant: Occupant
}

export interface Undone {
  readonly item: Item
  /** `same`: it was there already; `failed` says why. */
  readonly result: 'restored' | 'same' | 'failed'
  readonly message?: string
}

/** Looks at the places of items. Changes nothing. */
export function planUndo(items: readonly Item[]): Step[] {
  return withRoots((rootOf) =>
    items.map((item) => {
      try {
        return { item, occupant: lookAtPlace(item, rootOf(item)) }
      } catch (error) {
        return { item, occupant: { is: 'blocked', message: whyNot(item, error) } }
      }
    }),
  )
}

/**
 * Brings items back, in their order. What gives way goes into the trash itself, together.
 * @param home kubesync's own directory for what is kept
 */
export function carryOutUndo(steps: readonly Step[], home: string): Undone[] {
  return withRoots((rootOf) => {
    const bins = new Map<string, TrashPass>()
    const binOf = (item: Item): TrashPass => {
      const { root } = item.place
      const known = bins.get(root)
      if (known !== undefined) return known
      const openStore = localTrash(home, root).openStoreFor(rootOf(item))
      const bin = new TrashPass({ root, origin: item.origin, why: 'undone', openStore })
      bins.set(root, bin)
      return bin
    }
    try {
      const undone = steps.map((step) => carryOut(step, rootOf, binOf))
      const directories = undone.filter(
        ({ item, result }) => item.kind === 'directory' && result !== 'failed',
      )
      for (const { item } of directories.reverse()) discard(item)
      return undone
    } finally {
      for (const bin of bins.values()) bin.close()
    }
  })
}

function carryOut(
  { item, occupant }: Step,
  rootOf: (item: Item) => Dir,
  binOf: (item: Item) => TrashPass,
): Undone {
  if (occupant.is === 'blocked') return { item, result: 'failed', message: occupant.message }
  try {
    const message = restore(item, occupant, { root: rootOf(item), bin: binOf(item) })
    if (message !== undefined) return { item, result: 'failed', message }
    return { item, result: occupant.is === 'same' ? 'same' : 'restored' }
  } catch (error) {
    return { item, result: 'failed', message: whyNot(item, error) }
  }
}

function whyNot({ place: { root } }: Item, error: unknown): string {
  if (errnoOf(error) === undefined) throw error
  return `${root} cannot be reached: ${messageOf(error)}`
}

/** Synced folders are opened once, when they are needed. */
function withRoots<R>(action: (rootOf: (item: Item) => Dir) => R): R {
  const roots = new Map<string, Dir>()
  try {
    return action(({ place: { root } }) => {
      const known = roots.get(root) ?? openDirectory(root)
      roots.set(root, known)
      return known
    })
  } finally {
    for (const root of roots.values()) root.close()
  }
}
