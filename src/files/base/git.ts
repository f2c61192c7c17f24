import { execFile } from 'node:child_process'
import { digestOf } from '../replica/hash.ts'
import type { Digest, Path } from '../tree.ts'
import { MAX_TEXT } from './texts.ts'

/** Milliseconds. */
const PATIENCE = 5000

/**
 * A file as git has it in its last commit or index, if that has this digest; undefined without git, too. Nothing is
 * fetched, and no filter of the repository runs.
 */
export async function blobInGit(folder: string, path: Path, digest: Digest): Promise<Buffer | undefined> {
  for (const revision of ['HEAD', '']) {
    const blob = await git(folder, ['cat-file', 'blob', `${revision}:./${path}`])
    if (blob !== undefined && digestOf(blob) === digest) return blob
  }
  return undefined
}

function git(folder: string, args: readonly string[]): Promise<Buffer | undefined> {
  const env = { ...process.env, GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0' }
  const options = { cwd: folder, env, encoding: 'buffer', maxBuffer: MAX_TEXT, timeout: PATIENCE } as const
  return new Promise((resolve) => {
    execFile('git', args, options, (error, stdout) => resolve(error === null ? stdout : undefined))
  })
}
