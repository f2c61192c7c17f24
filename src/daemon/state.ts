import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type FileLock, tryLock } from '../config/lock.ts'
import { replaceFile } from '../config/replace.ts'
import type { Spec } from '../config/spec.ts'
import { errnoOf, KubesyncError } from '../errors.ts'
import { openTextStore, type TextStore } from '../files/base/texts.ts'

/** What is remembered of a spec between runs; only one process at a time has it open. */
export interface SpecState {
  /** Where the base of a container's session is kept. */
  basePath(podUid: string, container: string): string
  /** True if a container came after this spec was in sync for the first time: it stands in for another. */
  isSuccessor(containerId: string): Promise<boolean>
  /**
   * Remembers that the spec was in sync, and which containers were there then. Those may hold what nobody
   * else has, so they are no successors. Only the first time counts.
   */
  markInSync(containerIds: readonly string[]): Promise<void>
  /** Texts as both sides had them. */
  readonly texts: TextStore
  /** UID of the pod that led when this was open last, if any did. */
  readonly leader: string | undefined
  rememberLeader(podUid: string): Promise<void>
  /** Removes the bases of pods that are gone; each is asked about at the moment of its removal. */
  removeBases(isGone: (podUid: string) => boolean): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a spec's state below `root`, or rejects with SPEC_BUSY, naming the process that has it. What a spec
 * says of folders and containers is its identity here; its name and mode are not, so that the same
 * two folders are never synced twice at once, and another spec with an old name inherits nothing.
 */
export async function openSpecState(root: string, spec: Spec): Promise<SpecState> {
  const folder = stateFolder(root, spec)
  const lock = await hold(folder, spec)
  const bases = join(folder, 'bases')
  const marker = join(folder, 'in-sync')
  const leader = join(folder, 'leader')
  await mkdir(bases, { recursive: true, mode: 0o700 })
  const texts = openTextStore(join(folder, 'texts'))
  return {
    basePath: (podUid, container) => join(bases, `${podUid}.${container}`),
    async isSuccessor(containerId) {
      return !((await contemporaries(marker))?.includes(containerId) ?? true)
    },
    async markInSync(containerIds) {
      if ((await contemporaries(marker)) === undefined)
        await replaceFile(marker, JSON.stringify(containerIds))
    },
    leader: await readFile(leader, 'utf8').catch(() => undefined),
    async rememberLeader(podUid) {
      await replaceFile(leader, podUid)
    },
    async removeBases(isGone) {
      for (const name of await readdir(bases)) {
        const [podUid = ''] = name.split('.')
        if (isGone(podUid)) await rm(join(bases, name), { recursive: true, force: true })
      }
    },
    texts,
    async close() {
      texts.close()
      await lock.release()
    },
  }
}

/** Forgets what the two sides of a spec last agreed on; left alone while a process syncs it. */
export async function forgetSpecState(root: string, spec: Spec): Promise<void> {
  const folder = stateFolder(root, spec)
  if (!(await exists(folder))) return
  const attempt = await tryLock(join(folder, 'lock'))
  if (attempt.taken) await rm(folder, { recursive: true, force: true })
}

/** True if two specs are about the same folders and containers. */
export function sharesState(one: Spec, other: Spec): boolean {
  return stateFolder('/', one) === stateFolder('/', other)
}

function stateFolder(root: string, spec: Spec): string {
  const { context, namespace, selector, pod, container, local, remote } = spec
  const identity = [context, namespace, selector, pod, container, local, remote].map((part) => part ?? null)
  return join(root, createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 24))
}

async function hold(folder: string, spec: Spec): Promise<FileLock> {
  const attempt = await tryLock(join(folder, 'lock'))
  if (attempt.taken) return attempt.lock
  throw new KubesyncError(
    'SPEC_BUSY',
    `${spec.local} is already synced with ${spec.remote} by process ${attempt.owner.pid}`,
    { hint: 'end that process first; `ksync watch --stop` ends a watch in the background' },
  )
}

const markerSchema = v.array(v.string())

/** What the marker says; a file that cannot be made out counts as none: then nothing is overwritten. */
async function contemporaries(marker: string): Promise<readonly string[] | undefined> {
  try {
    return v.parse(markerSchema, JSON.parse(await readFile(marker, 'utf8')))
  } catch {
    return undefined
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
