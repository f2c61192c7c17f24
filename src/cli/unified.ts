import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, KubesyncError } from '../errors.ts'

/** A file, by what it is called in a diff: one on this disk, or content. */
export interface Labelled {
  readonly label: string
  readonly what: string | Buffer
}

export interface Compared {
  /** 0: the same; 1: not. */
  readonly code: number
  readonly output: string
}

/** What differs, as the program `diff` shows it. */
export async function unifiedDiff(one: Labelled, other: Labelled): Promise<Compared> {
  const place = await mkdtemp(join(tmpdir(), 'kubesync-diff-'))
  try {
    const paths: string[] = []
    for (const [index, { what }] of [one, other].entries()) {
      const path = Buffer.isBuffer(what) ? join(place, String(index)) : what
      if (Buffer.isBuffer(what)) await writeFile(path, what, { mode: 0o600 })
      paths.push(path)
    }
    const labels = [one, other].flatMap(({ label }) => ['--label', label])
    return await run(['-u', ...labels, '--', ...paths])
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

function run(args: readonly string[]): Promise<Compared> {
  const child = spawn('diff', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(errnoOf(error) === 'ENOENT' ? noDiff() : error))
    child.on('close', (code) => {
      if (code === 0 || code === 1) resolve({ code, output: said.stdout })
      else reject(new KubesyncError('DIFF_FAILED', said.stderr.trim()))
    })
  })
}

function noDiff(): KubesyncError {
  return new KubesyncError('NO_DIFF', 'the program `diff` is not on this machine', {
    hint: 'install diffutils',
  })
}
