/** What happens where both sides have a file: content and executable bit are merged each by itself. */
import type { Contest, Decision, Mode } from '../merge/decide.ts'
import { decideChange } from '../merge/decide.ts'
import type { BaseFile } from './base/base.ts'
import type { SideFile } from './change.ts'
import { contentOf, digestOf } from './change.ts'
import { winnerOf } from './contest.ts'
import { sameStamp } from './delta.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Run } from './spot.ts'
import type { Digest, FileEntry, Path } from './tree.ts'

/**
 * From this size on, a file with a new stamp is hashed before it is sent, since it may only have been touched.
 * Hashing 4 MiB takes 2 ms; sending it in vain takes longer on any link.
 */
const LARGE = 4 * 1024 * 1024

export interface TwoFiles {
  readonly path: Path
  readonly base: BaseFile | undefined
  readonly local: FileEntry
  readonly remote: FileEntry
  readonly mode: Mode
  /** What was decided on the two as a whole: it holds where nothing was agreed on. */
  readonly decision: Decision
}

/** Plans what is to be done; false if the two are in conflict. */
export function mergeFiles(run: Run, files: TwoFiles): boolean {
  const content =
    files.base === undefined ? compared(run, files, files.decision) : contentDecision(run, files, files.base)
  switch (content) {
    case 'later':
      return true
    case 'agree':
      agreeOnContent(run, files)
      return true
    case 'keep':
      changeBit(run, files, bitDecision(files))
      return true
    case 'to-remote':
      send(run, files, 'remote')
      return true
    case 'to-local':
      send(run, files, 'local')
      return true
    case 'conflict':
      return false
  }
}

type ContentDecision = Exclude<Decision, Contest> | 'conflict' | 'later'

function contentDecision(run: Run, files: TwoFiles, base: BaseFile): ContentDecision {
  const local = contentOf(run, base, fileOf(files, 'local'))
  const remote = contentOf(run, base, fileOf(files, 'remote'))
  if (local !== 'same' && remote !== 'same' && (local === 'unknown' || remote === 'unknown')) {
    // One of them may have been touched only, and then it is not two changes.
    if (local === 'unknown') need(run, files, 'local')
    if (remote === 'unknown') need(run, files, 'remote')
    return 'later'
  }
  const decision = decideChange(
    files.mode,
    local === 'same' ? 'unchanged' : 'modified',
    remote === 'same' ? 'unchanged' : 'modified',
  )
  if (decision === 'agree' || decision === 'keep') return decision
  if (decision !== 'to-remote' && decision !== 'to-local') return compared(run, files, decision)
  const source = decision === 'to-remote' ? 'local' : 'remote'
  const maybeTouched = (source === 'local' ? local : remote) === 'unknown'
  if (!maybeTouched || !worthHashing(files[source], base)) return decision
  need(run, files, source)
  return 'later'
}

/** A new executable bit changes the stamp as well: mostly there is nothing to send. */
function worthHashing(file: FileEntry, base: BaseFile): boolean {
  return file.stamp.size >= LARGE || file.executable !== base.executable
}

/** What is decided by whether both files have the same content. */
function compared(run: Run, files: TwoFiles, decision: Decision): ContentDecision {
  if (files.local.stamp.size === files.remote.stamp.size) {
    const local = digestOf(run, fileOf(files, 'local'))
    const remote = digestOf(run, fileOf(files, 'remote'))
    if (local === undefined) need(run, files, 'local')
    if (remote === undefined) need(run, files, 'remote')
    if (local === undefined || remote === undefined) return 'later'
    if (local === remote) return 'agree'
  }
  const winner = winnerOf(run, decision, files)
  if (winner === 'nobody' || winner === 'later') return winner === 'later' ? winner : 'conflict'
  return winner === 'local' ? 'to-remote' : 'to-local'
}

function agreeOnContent(run: Run, files: TwoFiles): void {
  const { path, base, local, remote } = files
  const bit = bitDecision(files)
  const digest = agreedDigest(run, files)
  if (digest === undefined) return
  const agreed: BaseFile = {
    kind: 'file',
    digest,
    executable: bit === 'agree' ? local.executable : agreedBit(files, bit),
    local: local.stamp,
    remote: remote.stamp,
  }
  if (base === undefined || !sameBaseFile(base, agreed)) run.plan.agreed.push([path, agreed])
  changeBit(run, files, bit)
}

function agreedDigest(run: Run, files: TwoFiles): Digest | undefined {
  const { base } = files
  const local = fileOf(files, 'local')
  return base !== undefined && contentOf(run, base, local) === 'same' ? base.digest : digestOf(run, local)
}

function bitDecision({ base, local, remote, mode, decision }: TwoFiles): Decision {
  if (local.executable === remote.executable) return 'agree'
  if (base === undefined && decision === 'local-wins') return 'to-remote'
  if (base === undefined && decision === 'remote-wins') return 'to-local'
  // Without a base, the side that made its file executable counts as the one that did something.
  const before = base?.executable ?? false
  return decideChange(
    mode,
    local.executable === before ? 'unchanged' : 'modified',
    remote.executable === before ? 'unchanged' : 'modified',
  )
}

/** The bit to agree on for now, while the sides differ in it: such that the same will be decided again. */
function agreedBit({ base, local, remote }: TwoFiles, bit: Decision): boolean {
  if (base !== undefined) return base.executable
  return bit === 'to-remote' ? remote.executable : bit === 'to-local' ? local.executable : false
}

function changeBit(run: Run, files: TwoFiles, bit: Decision): void {
  if (bit !== 'to-remote' && bit !== 'to-local') return
  const side = bit === 'to-remote' ? 'remote' : 'local'
  const { executable } = files[otherSide[side]]
  run.plan[side].push({ op: 'chmod', path: files.path, expect: files[side].stamp, executable })
}

function send(run: Run, files: TwoFiles, to: Side): void {
  const from = otherSide[to]
  const source = files[from]
  const bit = bitDecision(files)
  const target = files[to]
  const keepsBit = bit === 'keep' || bit === (to === 'remote' ? 'to-local' : 'to-remote')
  const digest = digestOf(run, fileOf(files, from))
  run.plan[to].push({
    op: 'put',
    path: files.path,
    expect: target.stamp,
    executable: keepsBit ? target.executable : source.executable,
    source: digest === undefined ? { stamp: source.stamp } : { stamp: source.stamp, digest },
  })
}

function need(run: Run, files: TwoFiles, side: Side): void {
  run.plan.needs[side].push({ path: files.path, stamp: files[side].stamp })
}

function fileOf(files: TwoFiles, side: Side): SideFile {
  return { side, path: files.path, entry: files[side] }
}

function sameBaseFile(a: BaseFile, b: BaseFile): boolean {
  return (
    a.digest === b.digest &&
    a.executable === b.executable &&
    sameStamp(a.local, b.local) &&
    sameStamp(a.remote, b.remote)
  )
}
