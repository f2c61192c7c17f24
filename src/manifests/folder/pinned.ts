import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KubesyncError } from '../../errors.ts'
import { isPassedOver } from './load.ts'
import { findPin, type Pin, pinName } from './pin.ts'

/** A place in a cluster; without a namespace, any of it. */
interface Place {
  readonly context: string
  readonly server: string
  readonly namespace: string | undefined
}

/**
 * The folder with the files of a place, seen from another folder: the one that this belongs to, unless that is pinned elsewhere; else the one
 * below it, or beside it, that is pinned there. Two that are pinned there are AMBIGUOUS_FOLDER. Undefined if there is none.
 */
export async function folderOf(place: Place, from: string): Promise<string | undefined> {
  const { root, pin } = await findPin(from)
  const isPinned = pin.context !== undefined || pin.server !== undefined
  if (isPinned && fits(pin, place)) return root
  const found: string[] = []
  for (const folder of await pinnedBelow(isPinned ? dirname(root) : root)) {
    if (fits((await findPin(folder)).pin, place)) found.push(folder)
  }
  const [first, ...others] = found
  if (others.length === 0) return first ?? (isPinned || !fits(pin, place) ? undefined : root)
  throw new KubesyncError('AMBIGUOUS_FOLDER', `${found.join(' and ')} are both pinned to ${place.context}`, {
    hint: 'name the namespace with it, or call it from the folder that is meant',
  })
}

function fits({ context, server, namespace }: Pin, place: Place): boolean {
  if ((context ?? place.context) !== place.context || (server ?? place.server) !== place.server) return false
  return place.namespace === undefined || (namespace ?? place.namespace) === place.namespace
}

async function pinnedBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const inside = entries.filter((entry) => entry.isDirectory() && !isPassedOver(entry.name))
  const below = await Promise.all(inside.map(({ name }) => pinnedBelow(join(folder, name))))
  const own = entries.some(({ name }) => name === pinName) ? [folder] : []
  return [...own, ...below.flat()]
}
