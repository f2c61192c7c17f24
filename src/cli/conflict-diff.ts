import { join } from 'node:path'
import type { Cli } from './io.ts'
import type { SpecPathOptions } from './spec-path.ts'

/** Shows what differs between a file here and in a container: - is local, + is remote. By the program `diff`, with its exit codes. */
export async function showConflict(cli: Cli, given: string, options: SpecPathOptions): Promise<void> {
  const { askContent } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { noWatch, readSpecPath } = await import('./spec-path.ts')
  const { unifiedDiff } = await import('./unified.ts')
  const { spec, path, pod, root } = await readSpecPath(cli, given, options)
  const remote = await askContent(pathsOf(cli, options).socket, { spec, path, pod })
  if (remote === undefined) throw noWatch(cli)
  const { code, output } = await unifiedDiff(
    { label: `local/${path}`, what: join(root, path) },
    { label: `remote/${path}`, what: remote },
  )
  const { printableLines } = await import('../ui/text.ts')
  cli.io.stdout.write(cli.io.stdout.isTTY === true ? printableLines(output) : output)
  cli.exitCode = code
}
