import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, KubesyncError } from '../errors.ts'
import type { Cli } from './io.ts'
import type { SpecPath, SpecPathOptions } from './spec-path.ts'

/** Shows what differs between a file here and in a container: - is local, + is remote. By the program `diff`, with its exit codes. */
export async function showConflict(cli: Cli, given: string, options: SpecPathOptions): Promise<void> {
  const { askContent } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { noWatch, readSpecPath } = await import('./spec-path.ts')
  const spot = await readSpecPath(cli, given, options)
  const { spec, path, pod } = spot
  const remote = await askContent(pathsOf(cli, options).socket, { spec, path, pod })
  if (remote === undefined) throw noWatch(cli)
  const place = await mkdtemp(join(tmpdir(), 'kubesync-diff-'))
  try {
    const file = join(place, 'remote')
    await writeFile(file, remote, { mode: 0o600 })
    const { code, output } = await compare(spot, file)
    const { printableLines } = await import('../ui/text.ts')
    cli.io.stdout.write(cli.io.stdout.isTTY === true ? printableLines(output) : output)
    cli.exitCode = code
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

interface Compared {
  /** 0: the same; 1: not. */
  readonly code: number
  readonly output: string
}

function compare({ root, path }: SpecPath, remote: string): Promise<Compared> {
  const labels = [`local/${path}`, `remote/${path}`].flatMap((label) => ['--label', label])
  const child = spawn('diff', ['-u', ...labels, '--', join(root, path), remote], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
