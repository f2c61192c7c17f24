import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError, messageOf } from '../errors.ts'
import { GitError, git, gitMaybe } from './git.ts'
import type { Branch, Repository } from './repository.ts'

/** A file as it is to be committed; undefined is gone. The path is relative to the top of the repository. */
export interface CommitFile {
  readonly path: string
  readonly text: string | undefined
}

export interface CommitRequest {
  /** As it was before the operation. */
  readonly branch: Branch
  readonly files: readonly CommitFile[]
  readonly message: string
  /** Makes this branch for the commit, and checks it out, so that the other stays where it is: `refs/heads/…`. */
  readonly onto?: string | undefined
}

/** An entry of an index or a tree: `100644 <object>`; undefined where there is none. */
type Entries = ReadonlyMap<string, string | undefined>

/** The names of an empty file begin with one of these, by SHA-1 and by SHA-256. */
const empty = /^\d+ (?:e69de29bb2d1|473a0f4c3be8)/
/** Files stored at once. */
const width = 8
/** For how long somebody else may have the index locked, in milliseconds. */
const lockMs = 3_000

/**
 * Commits these texts and nothing else, and says which commit it made; undefined where nothing differs from the last one. The commit is put
 * together in an index of its own, from texts and not from files, so whatever is staged, changed or not in git stays as it is; of the
 * user's index the entries of these paths follow, where they said what the last commit did. Hooks of commits do not run: they may
 * change files. Rejects with GIT_COMMIT, and then neither branch nor index changed.
 */
export async function commitFiles(
  repository: Repository,
  request: CommitRequest,
): Promise<string | undefined> {
  const { branch, files, message, onto } = request
  const at = { ...repository, cwd: repository.top }
  const paths = files.map(({ path }) => path)
  try {
    const head = await headNow(repository, branch, paths)
    const index = resolve(
      repository.top,
      `${(await git(['rev-parse', '--git-path', `kubesync-${newId()}`], at)).trim()}`,
    )
    try {
      const own = { ...at, index }
      await git(head === undefined ? ['read-tree', '--empty'] : ['read-tree', head], own)
      const before = await entriesOf(repository, paths, index)
      const after = await blobsOf(repository, files, before)
      await put(own, changesTo(before, after))
      const tree = (await git(['write-tree'], own)).trim()
      if (head !== undefined && tree === (await git(['rev-parse', `${head}^{tree}`], at)).trim())
        return undefined
      const commit = await makeCommit(repository, { tree, head, message })
      const undo = await followIndex(repository, { before, after })
      try {
        await moveBranch(repository, { commit, head, onto, subject: message.split('\n', 1)[0] ?? '' })
      } catch (error) {
        await undo()
        throw error
      }
      return commit
    } finally {
      await rm(index, { force: true })
    }
  } catch (error) {
    repository.signal.throwIfAborted()
    throw new KubesyncError('GIT_COMMIT', `it was not committed: ${messageOf(error)}`, {
      hint: `what was written stays as it is; commit it yourself: \`git commit -- ${paths.slice(0, 3).join(' ')}\``,
      cause: error,
    })
  }
}

function newId(): string {
  return randomBytes(8).toString('hex')
}

/** The last commit of the branch, if that is still checked out and nobody committed these files meanwhile. */
async function headNow(
  repository: Repository,
  { ref, head }: Branch,
  paths: readonly string[],
): Promise<string | undefined> {
  const at = { ...repository, cwd: repository.top }
  if ((await gitMaybe(['symbolic-ref', '--quiet', 'HEAD'], at))?.trim() !== ref) {
    throw new Error('another branch was checked out meanwhile')
  }
  const now = (await gitMaybe(['rev-parse', '--quiet', '--verify', 'HEAD'], at))?.trim()
  if (now === head) return now
  if (now === undefined || head === undefined) throw new Error('somebody committed meanwhile')
  const changed = await git(['diff-tree', '-r', '--no-renames', '--name-only', '-z', head, now], at)
  if (changed.split('\0').some((path) => paths.includes(path))) {
    throw new Error('somebody committed these files meanwhile')
  }
  return now
}

/** What an index has at some paths; the user's, unless another one is named. */
async function entriesOf(repository: Repository, paths: readonly string[], index?: string): Promise<Entries> {
  const at = { ...repository, cwd: repository.top, ...(index !== undefined && { index }) }
  // More would make the command line too long; all there are takes a moment longer.
  const named = paths.length > 500 ? [] : ['--', ...paths]
  const listed = await git(['ls-files', '--stage', '-z', ...named], at)
  const found = listed.split('\0').flatMap((line): [string, string][] => {
    const [, mode = '', object = '', path] = /^(\d+) (\w+) \d\t(.*)$/s.exec(line) ?? []
    return path === undefined ? [] : [[path, `${mode} ${object}`]]
  })
  const entries = new Map(found)
  return new Map(paths.map((path) => [path, entries.get(path)]))
}

/** Stores the texts as git would store those files, whatever filters it has for them. */
async function blobsOf(
  repository: Repository,
  files: readonly CommitFile[],
  before: Entries,
): Promise<Entries> {
  const at = { ...repository, cwd: repository.top }
  const made = new Map<string, string | undefined>()
  const make = async ({ path, text }: CommitFile) => {
    if (text === undefined) return made.set(path, undefined)
    const [mode = ''] = before.get(path)?.split(' ') ?? ['100644']
    if (!mode.startsWith('100')) throw new Error(`${path} is no file in git`)
    const object = await git(['hash-object', '-w', '--stdin', '--path', path], { ...at, input: text })
    return made.set(path, `${mode} ${object.trim()}`)
  }
  for (let from = 0; from < files.length; from += width) {
    await Promise.all(files.slice(from, from + width).map(make))
  }
  return made
}

/** What makes entries of those before, for update-index; one that goes is named with mode 0. */
function changesTo(before: Entries, after: Entries): string[] {
  return [...after].flatMap(([path, entry]) => {
    const line = entry ?? before.get(path)?.replace(/^\d+/, '0')
    return line === undefined ? [] : [`${line}\t${path}\0`]
  })
}

/** Changes entries of an index, all of them or none; waits for whoever has it locked. */
async function put(at: Parameters<typeof git>[1], lines: readonly string[]): Promise<void> {
  const until = Date.now() + lockMs
  for (;;) {
    try {
      await git(['update-index', '-z', '--index-info'], { ...at, input: lines.join('') })
      return
    } catch (error) {
      if (!(error instanceof GitError) || !/index\.lock/.test(error.message) || Date.now() > until)
        throw error
      await delay(100)
    }
  }
}

interface NewCommit {
  readonly tree: string
  readonly head: string | undefined
  readonly message: string
}

async function makeCommit(repository: Repository, { tree, head, message }: NewCommit): Promise<string> {
  const at = { ...repository, cwd: repository.top }
  const signs = (await gitMaybe(['config', '--type=bool', '--get', 'commit.gpgSign'], at))?.trim() === 'true'
  const parent = head === undefined ? [] : ['-p', head]
  // Who signs may have to type a passphrase.
  const options = { ...at, input: message, limitMs: 120_000 }
  return (await git(['commit-tree', ...(signs ? ['-S'] : []), ...parent, '-F', '-', tree], options)).trim()
}

/**
 * Makes the user's index say of these paths what the new commit does, unless something else is staged there: else they would look
 * staged back. Resolves with what takes that back.
 */
async function followIndex(
  repository: Repository,
  { before, after }: { readonly before: Entries; readonly after: Entries },
): Promise<() => Promise<void>> {
  const at = { ...repository, cwd: repository.top, isFirm: true } as const
  const staged = await entriesOf(repository, [...after.keys()])
  const isOurs = (path: string) => {
    const now = staged.get(path)
    // `git add -N` has an empty file stand for one that is to come.
    const isMeant = now !== undefined && before.get(path) === undefined && empty.test(now)
    return (now === before.get(path) || isMeant) && now !== after.get(path)
  }
  const changed = new Map([...after].filter(([path]) => isOurs(path)))
  const kept = new Map([...changed.keys()].map((path) => [path, staged.get(path)]))
  if (changed.size === 0) return async () => {}
  await put(at, changesTo(kept, changed))
  return () => put(at, changesTo(changed, kept))
}

interface Move {
  readonly commit: string
  readonly head: string | undefined
  readonly onto: string | undefined
  readonly subject: string
}

/** Makes the commit the last one of the branch, if that still ends where it did; or of a new branch. */
async function moveBranch(repository: Repository, { commit, head, onto, subject }: Move): Promise<void> {
  const at = { ...repository, cwd: repository.top, isFirm: true } as const
  const why = ['-m', `commit: ${subject}`]
  if (onto === undefined) return void (await git(['update-ref', ...why, 'HEAD', commit, head ?? ''], at))
  await git(['update-ref', ...why, onto, commit, ''], at)
  await git(['symbolic-ref', ...why, 'HEAD', onto], at)
}
