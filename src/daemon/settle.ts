import { KubesyncError } from '../errors.ts'
import type { ConflictDetail, Keep } from '../files/conflicts.ts'
import type { MergedText, MergedVersions } from '../files/merging.ts'
import type { Binding } from './bindings.ts'
import type { RunningSession } from './world.ts'

/** A session under way, and the container it is bound to. */
export interface OpenSession {
  readonly binding: Binding
  readonly session: RunningSession
}

/** A conflict, and the container that it is with. */
export interface BoundConflict extends ConflictDetail {
  readonly pod: string
  readonly container: string
}

/** Where a person points to: a path, and a pod if that is not clear. */
export interface Spot {
  readonly path: string
  readonly pod?: string | undefined
}

/** Bytes of a file that may be asked for. */
const FETCH_LIMIT = 32 * 1024 * 1024

export async function listConflicts(sessions: readonly OpenSession[]): Promise<BoundConflict[]> {
  const lists = await Promise.all(
    sessions.map(async ({ binding: { pod, container }, session }) =>
      (await session.conflicts.list()).map((conflict) => ({ pod, container, ...conflict })),
    ),
  )
  return lists.flat()
}

/**
 * Settles the conflicts at a path, in every container that has one there. Returns in how many that was; rejects with
 * NO_SUCH_CONFLICT, and with WHICH_POD if several containers have versions and one of them is to be kept.
 */
export async function resolveConflict(
  sessions: readonly OpenSession[],
  { path, pod }: Spot,
  keep: Keep,
): Promise<number> {
  const chosen = await inConflict(sessions, { path, pod })
  if (chosen.length > 1 && keep !== 'local') throw whichPod(path, chosen)
  for (const { session } of chosen) await session.conflicts.resolve(path, keep)
  return chosen.length
}

/** What both versions of a text merge to; rejects as `resolveConflict` and `Merging.preview` do. */
export async function previewMerge(sessions: readonly OpenSession[], spot: Spot): Promise<MergedText> {
  return (await oneInConflict(sessions, spot)).merging.preview(spot.path)
}

/** Puts the merge of these versions into both places. */
export async function mergeConflict(
  sessions: readonly OpenSession[],
  spot: Spot,
  versions: MergedVersions,
): Promise<void> {
  await (await oneInConflict(sessions, spot)).merging.carryOut(spot.path, versions)
}

async function oneInConflict(sessions: readonly OpenSession[], spot: Spot): Promise<RunningSession> {
  const chosen = await inConflict(sessions, spot)
  const [one] = chosen
  if (one === undefined || chosen.length > 1) throw whichPod(spot.path, chosen)
  return one.session
}

/** Those with a conflict at a path; rejects with NO_SUCH_CONFLICT. */
async function inConflict(sessions: readonly OpenSession[], { path, pod }: Spot): Promise<OpenSession[]> {
  const chosen: OpenSession[] = []
  for (const open of sessions) {
    if (pod !== undefined && open.binding.pod !== pod) continue
    if ((await open.session.conflicts.list()).some((conflict) => conflict.path === path)) chosen.push(open)
  }
  if (chosen.length > 0) return chosen
  throw new KubesyncError('NO_SUCH_CONFLICT', `there is no conflict at ${path}`, {
    hint: '`ksync conflicts` shows those there are',
  })
}

/** A file as a container has it: the given pod's, else the leader's. */
export async function fetchContent(sessions: readonly OpenSession[], { path, pod }: Spot): Promise<Buffer> {
  const ofPod = sessions.filter(({ binding }) => pod === undefined || binding.pod === pod)
  const chosen = ofPod.find(({ binding }) => binding.role === 'leader') ?? ofPod[0]
  if (chosen === undefined) {
    throw new KubesyncError(
      'NO_CONTAINER',
      `no container${pod === undefined ? '' : ` of ${pod}`} is being synced`,
    )
  }
  return chosen.session.fetch(path, FETCH_LIMIT)
}

function whichPod(path: string, open: readonly OpenSession[]): KubesyncError {
  const pods = open.map(({ binding }) => binding.pod).join(', ')
  return new KubesyncError('WHICH_POD', `several containers have a version of ${path}: those of ${pods}`, {
    hint: 'say which one with --pod, or keep the local version',
  })
}
