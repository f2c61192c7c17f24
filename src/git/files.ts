import { git } from './git.ts'
import { notReady, type Repository } from './repository.ts'

/** Files of an operation, by paths relative to the top of the repository. */
export interface Involved {
  /** What kubesync is about to write. */
  readonly written: readonly string[]
  /** What it reads: what goes to a cluster as the user has it. */
  readonly read: readonly string[]
}

interface Standing {
  readonly path: string
  /** `?` is not in git, `!` is ignored, `u` is unmerged, else what differs: index from commit, and file from index. */
  readonly kind: string
  readonly index: string
  readonly file: string
}

/** Paths of one call, so that the command line stays short enough. */
const batch = 200

/**
 * Refuses files whose commit would take along what is not of the operation: a file that is written and has changes of the user,
 * one that is read and staged in part. What git ignores is let be; those paths are returned.
 */
export async function refuseMixed(
  repository: Repository,
  { written, read }: Involved,
): Promise<ReadonlySet<string>> {
  const paths = [...new Set([...written, ...read])]
  await refuseHidden(repository, paths)
  const standings = await standingOf(repository, paths)
  const mixed = standings.filter(({ path, kind, index, file }) => {
    if (kind === '!') return false
    if (kind === 'u' || written.includes(path)) return true
    return index !== '.' && file !== '.'
  })
  const [first] = mixed
  if (first !== undefined) {
    const more = mixed.length === 1 ? '' : ` (and ${mixed.length - 1} more)`
    const isRead = !written.includes(first.path)
    const what =
      first.kind === '?'
        ? 'is not in git yet'
        : isRead
          ? 'is staged in part'
          : 'has changes that are not committed'
    const hint =
      first.kind === '?'
        ? `add and commit it first: a commit of what changes now would hold all of it`
        : `commit them first, or \`git stash push -- ${first.path}\`: the commit would take them along`
    throw notReady(`${first.path} ${what}${more}`, hint)
  }
  return new Set(standings.flatMap(({ path, kind }) => (kind === '!' ? [path] : [])))
}

/** Refuses files of which git was told not to look at them: what is only here in them would be committed. */
async function refuseHidden({ top, env, signal }: Repository, paths: readonly string[]): Promise<void> {
  for (let from = 0; from < paths.length; from += batch) {
    const some = paths.slice(from, from + batch)
    const listed = await git(['ls-files', '-v', '-z', '--', ...some], { cwd: top, env, signal })
    const hidden = listed.split('\0').find((line) => /^[a-zS] /.test(line))
    if (hidden === undefined) continue
    const path = hidden.slice(2)
    const flags = '--no-skip-worktree --no-assume-unchanged'
    const hint = `what is in it would be committed; \`git update-index ${flags} -- ${path}\` takes that back`
    throw notReady(`${path} is marked as one that git is not to look at`, hint)
  }
}

/** What is not as it was committed, of some paths. */
async function standingOf({ top, env, signal }: Repository, paths: readonly string[]): Promise<Standing[]> {
  const found: Standing[] = []
  for (let from = 0; from < paths.length; from += batch) {
    const some = paths.slice(from, from + batch)
    const args = [
      'status',
      '--porcelain=v2',
      '-z',
      '--no-renames',
      '--untracked-files=all',
      '--ignored=matching',
      '--',
    ]
    const said = await git([...args, ...some], { cwd: top, env, signal })
    // An ignored folder stands for all that is in it.
    for (const { path, ...standing } of said.split('\0').flatMap(parseStanding)) {
      const meant = path.endsWith('/') ? some.filter((one) => one.startsWith(path)) : [path]
      found.push(...meant.map((one) => ({ path: one, ...standing })))
    }
  }
  return found
}

/** A record of git-status(1), "Porcelain Format Version 2". */
function parseStanding(record: string): Standing[] {
  const kind = record[0] ?? ''
  if (kind === '?' || kind === '!') return [{ path: record.slice(2), kind, index: '.', file: '.' }]
  const fields = { '1': 8, u: 10 }[kind]
  if (fields === undefined) return []
  const path = record.split(' ').slice(fields).join(' ')
  return [{ path, kind, index: record[2] ?? '.', file: record[3] ?? '.' }]
}
