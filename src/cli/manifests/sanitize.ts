import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { setting } from '../../config/settings.ts'
import { errnoOf, KubesyncError } from '../../errors.ts'
import { styleFor } from '../../ui/style.ts'
import { printable } from '../../ui/text.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { type ConfigOptions, configOptions } from '../options.ts'
import { settingsOf } from '../where.ts'
import { showRemarks } from './remarks.ts'

interface SanitizeOptions extends ConfigOptions {
  readonly explain?: true
  readonly sort?: true
}

export function sanitizeCommand(cli: Cli): Command {
  const words = {
    usage: 'sanitize <file>',
    summary: 'Prints manifests without what does not belong into a file; `-` is standard input.',
    details: 'It asks no cluster, so that defaults stay. Files are left as they are.',
    examples: ['sanitize web.yaml', 'sanitize --explain web.yaml', 'sanitize - < web.yaml'],
  }
  const explain = new Option('--explain', 'say on stderr what was taken out, and why')
  const sort = new Option('--sort', "put the fields in kubectl's order, comments with them")
  return newCommand(cli, words, [explain, sort, ...configOptions()]).action(
    (file: string, options: SanitizeOptions) => sanitizeFile(cli, file, options),
  )
}

async function sanitizeFile(cli: Cli, file: string, options: SanitizeOptions): Promise<void> {
  const { explain, sort } = options
  const { readDocuments } = await import('../../manifests/folder/documents.ts')
  const { nameOf } = await import('../../manifests/order/references.ts')
  const { allRules } = await import('../../manifests/sanitize/own.ts')
  const { sanitize } = await import('../../manifests/sanitize/sanitize.ts')
  const { withoutRemoved } = await import('../../manifests/sanitize/text.ts')
  const { formatPath } = await import('../../manifests/value.ts')
  const { stdout, stderr } = cli.io
  const rules = allRules(setting('sanitize', await settingsOf(cli, options)))
  const given = await read(cli, file)
  const { manifests, remarks } = readDocuments([{ path: file, text: given }])
  const cleaned = manifests.map((manifest) => ({ manifest, ...sanitize(manifest.object, rules) }))
  for (const { manifest, removed } of explain === true ? cleaned : []) {
    stderr.write(`${printable(nameOf(manifest.identity))}\n`)
    for (const { path, rule } of removed)
      stderr.write(`  - ${printable(formatPath(path))}: ${printable(rule.reason)}\n`)
  }
  stdout.write(withoutRemoved(given, cleaned, { file, sorts: sort === true }))
  stderr.write(showRemarks({ remarks, leftOut: [], problems: [] }, styleFor(stderr)))
  if (remarks.some(({ isProblem }) => isProblem)) cli.exitCode = 1
}

async function read({ io }: Cli, file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(resolve(io.cwd, file), 'utf8')
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new KubesyncError('NOT_FOUND', `there is no file ${file}`)
  }
}
