import { relative } from 'node:path'
import { KubesyncError } from '../../errors.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { type DoneOperation, isMeant } from '../journal/operations.ts'
import type { ClusterName } from '../plan/plan.ts'

/** What is to be taken back: all that was written after an operation, or else what was written last; of one resource, or of all. */
export interface Asked {
  readonly resource?: string | undefined
  /** The number of an operation; 0 is before the first. */
  readonly to?: number | undefined
  readonly only?: 'file' | 'cluster' | undefined
}

/** A write, and what of it is to be taken back, by the names of objects. */
export interface ToRevert {
  readonly entry: JournalEntry
  readonly ids: readonly string[]
}

export interface Chosen {
  /** The last one first. */
  readonly writes: readonly ToRevert[]
  /** The operations that they belong to, the last one first. */
  readonly operations: readonly DoneOperation[]
  /** How many writes were to other clusters or folders, and stay. */
  readonly elsewhere: number
}

/** Where somebody stands. */
export interface Standpoint {
  readonly cluster: ClusterName
  /** Absolute path of the folder. */
  readonly root: string
}

/**
 * Finds what is to be taken back. NOTHING_TO_REVERT if nothing was written, AMBIGUOUS_NAME if several objects are meant,
 * WRITTEN_ELSEWHERE if that was to another cluster or in another folder: only what is here is touched.
 */
export function chooseWrites(operations: readonly DoneOperation[], asked: Asked, here: Standpoint): Chosen {
  const { resource, to } = asked
  const found = operations.toReversed().flatMap((operation) => {
    const writes = operation.entries.toReversed().flatMap((entry) => wantedOf(entry, asked))
    return writes.length === 0 ? [] : [{ operation, writes }]
  })
  const isHere = ({ entry }: ToRevert) => placeProblem(entry, here) === undefined
  const chosen = to === undefined ? found.slice(0, 1) : found.filter(({ operation }) => operation.number > to)
  const writes = chosen.flatMap((one) => one.writes)
  const [elsewhere] = writes.filter((one) => !isHere(one))
  if (elsewhere !== undefined && to === undefined) throw placeProblem(elsewhere.entry, here)
  const names = new Set(writes.flatMap(({ ids }) => ids))
  if (resource !== undefined && names.size > 1) {
    throw new KubesyncError('AMBIGUOUS_NAME', `\`${resource}\` may be ${[...names].join(' or ')}`, {
      hint: 'name its type, too, as in deployment/web',
    })
  }
  if (to !== undefined && !operations.some(({ number }) => number === to) && to !== 0) throw noSuch(to)
  const local = writes.filter(isHere)
  if (local.length === 0) throw nothing(asked)
  return {
    writes: local,
    operations: chosen.map(({ operation }) => operation),
    elsewhere: writes.length - local.length,
  }
}

/** The path of a write's file below the folder; empty where no file has the object. */
export function fileIn(root: string, { file }: JournalEntry): string {
  return file === '' ? '' : relative(root, file)
}

function wantedOf(entry: JournalEntry, { resource, only }: Asked): ToRevert[] {
  if (entry.outcome === 'failed' || (only !== undefined && entry.where !== only)) return []
  const ids = entry.resources.filter((id) => resource === undefined || isMeant(id, resource))
  return ids.length === 0 ? [] : [{ entry, ids }]
}

function placeProblem({ context, server, file }: JournalEntry, here: Standpoint): KubesyncError | undefined {
  const { cluster, root } = here
  const elsewhere = (where: string, hint: string) =>
    new KubesyncError('WRITTEN_ELSEWHERE', `that was written ${where}`, { hint })
  // What was brought from one folder to another has nothing to do with a cluster.
  const isBound = context !== ''
  if (isBound && context !== cluster.context)
    return elsewhere(`to ${context}, and not to ${cluster.context}`, `--context ${context}`)
  if (isBound && server !== cluster.server) {
    const hint = `${context} leads to ${cluster.server} now: if that is the same cluster, take it back by hand`
    return elsewhere(`to ${server}`, hint)
  }
  // What no file has is in no folder.
  if (file === '' || file.startsWith(`${root}/`)) return undefined
  return elsewhere(`from ${file}, which is not in this folder`, 'go where that file is')
}

function nothing({ resource, to, only }: Asked): KubesyncError {
  const what = resource === undefined ? 'nothing' : `nothing of \`${resource}\``
  const where = only === undefined ? '' : only === 'file' ? ' in files' : ' in the cluster'
  const when = to === undefined ? '' : ` after operation ${to}`
  return new KubesyncError('NOTHING_TO_REVERT', `${what} was written${where}${when}`, {
    hint: 'kubesync history lists what was written',
  })
}

function noSuch(to: number): KubesyncError {
  return new KubesyncError('NO_SUCH_OPERATION', `there is no operation ${to}`, {
    hint: 'kubesync history lists them with their numbers',
  })
}
