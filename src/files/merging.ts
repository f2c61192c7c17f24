import { PassThrough, type Readable } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { mergeTexts } from '../merge/text.ts'
import type { BaseStore } from './base/store.ts'
import { isText, MAX_TEXT } from './base/texts.ts'
import type { Conflicts } from './conflicts.ts'
import { nodeAt } from './delta.ts'
import { readAll } from './fetch.ts'
import type { Operation } from './operation.ts'
import { ContentWriter, MAX_CHUNK } from './replica/content.ts'
import { digestOf } from './replica/hash.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import type { Digest, FileEntry, Path } from './tree.ts'

/** Finds a text as both sides had it, by its digest. */
export type FindText = (path: Path, digest: Digest) => Promise<Buffer | undefined>

export interface MergingOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly base: BaseStore
  readonly conflicts: Conflicts
  readonly find: FindText
}

/** The digests of the two versions that were merged, in hexadecimal. */
export type MergedVersions = Readonly<Record<Side, string>>

export interface MergedText {
  readonly content: Buffer
  readonly versions: MergedVersions
}

/** Merges the two versions of a text that are in conflict, when a person asks for it. */
export class Merging {
  private readonly options: MergingOptions

  constructor(options: MergingOptions) {
    this.options = options
  }

  /** What the merge makes of both versions. Rejects with NOT_MERGED, saying why, or as `Conflicts.resolve` does. */
  async preview(path: Path): Promise<MergedText> {
    this.options.conflicts.refuseMerge(path)
    const { base, replicas, find } = this.options
    const agreed = nodeAt(base.tree, path)?.entry
    if (agreed?.kind !== 'file') throw notMerged(path, 'the two sides never agreed on a file there')
    const [local, remote] = [await contentAt(replicas.local, path), await contentAt(replicas.remote, path)]
    const before = await find(path, agreed.digest)
    if (before === undefined)
      throw notMerged(path, 'what both sides had before is not known: it was neither kept nor is it in git')
    if (![local, remote, before].every(isText)) throw notMerged(path, 'it is no text')
    const [one, two, three] = [before, local, remote].map((bytes) => bytes.toString('latin1'))
    const merge = mergeTexts({ base: one ?? '', local: two ?? '', remote: three ?? '' })
    if ('conflict' in merge) throw notMerged(path, describe(merge.conflict))
    const versions = { local: hexOf(digestOf(local)), remote: hexOf(digestOf(remote)) }
    return { content: Buffer.from(merge.merged, 'latin1'), versions }
  }

  /** Puts the merge of these two versions into both places, if both still hold them; rejects with NOT_SETTLED else. */
  async carryOut(path: Path, versions: MergedVersions): Promise<void> {
    const { conflicts } = this.options
    await conflicts.alone(path, async () => {
      const entries = { local: this.fileAt('local', path), remote: this.fileAt('remote', path) }
      const merged = await this.preview(path)
      if (merged.versions.local !== versions.local || merged.versions.remote !== versions.remote) {
        throw new KubesyncError('NOT_SETTLED', `${path} changed since it was shown: look at it again`)
      }
      // The version here is in the trash before anything is written there.
      for (const side of ['local', 'remote'] as const) {
        const source = { stamp: stampOf(entries[side], merged.content) }
        const { executable, stamp: expect } = entries[side]
        const operation: Operation = { op: 'put', path, expect, executable, source }
        await conflicts.carryOut(side, [operation], { read: () => streamOf(merged.content) })
      }
    })
  }

  private fileAt(side: Side, path: Path): FileEntry {
    const entry = nodeAt(this.options.replicas[side].tree, path)?.entry
    if (entry?.kind !== 'file') throw notMerged(path, `there is no file on the ${side} side`)
    return entry
  }
}

async function contentAt(replica: Replica, path: Path): Promise<Buffer> {
  const entry = nodeAt(replica.tree, path)?.entry
  if (entry?.kind !== 'file') throw notMerged(path, 'only two files can be merged')
  const { stamp } = entry
  if (stamp.size > MAX_TEXT) throw notMerged(path, 'it is too large')
  for await (const content of readAll(replica, [{ path, stamp }])) {
    if (Buffer.isBuffer(content)) return content
    throw notMerged(path, content)
  }
  throw notMerged(path, 'it cannot be read')
}

/** Made now. */
function stampOf({ stamp }: FileEntry, content: Buffer): FileEntry['stamp'] {
  return { ...stamp, mtimeMs: Date.now(), size: content.length }
}

/** Content as a replica would send it. */
function streamOf(content: Buffer): Readable {
  const stream = new PassThrough()
  const send = async () => {
    const writer = new ContentWriter(stream)
    for (let at = 0; at < content.length; at += MAX_CHUNK) {
      const part = content.subarray(at, at + MAX_CHUNK)
      const chunk = writer.chunk(part.length)
      part.copy(chunk)
      writer.confirm(chunk)
      if (at + MAX_CHUNK < content.length) await writer.flush()
    }
    writer.end(digestOf(content))
    await writer.flush()
    stream.end()
  }
  void send().catch((error) => stream.destroy(error))
  return stream
}

function describe(conflict: 'too-different' | { readonly from: number; readonly to: number }): string {
  if (conflict === 'too-different') return 'the versions differ in too many lines'
  const { from, to } = conflict
  return `both sides changed ${from === to ? `line ${from}` : `lines ${from} to ${to}`} (counted here)`
}

function hexOf(digest: Digest): string {
  return Buffer.from(digest, 'latin1').toString('hex')
}

function notMerged(path: Path, why: string): KubesyncError {
  return new KubesyncError('NOT_MERGED', `${path} cannot be merged: ${why}`, {
    hint: 'say which version stays: --keep local, remote or both',
  })
}
