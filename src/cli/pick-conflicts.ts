import { join } from 'node:path'
import { KubesyncError } from '../errors.ts'
import type { Keep } from '../files/conflicts.ts'
import { count, printable, printableLines } from '../ui/text.ts'
import type { Ask } from './ask.ts'
import { describeVersion, type ListedConflict } from './conflicts.ts'
import type { Cli } from './io.ts'
import { type ManifestConflict, settleManifests, showManifestConflict } from './manifest-conflicts.ts'
import { mergeShown, type Target } from './merge-text.ts'
import { describeError } from './report.ts'
import { noWatch } from './spec-path.ts'
import { unifiedDiff } from './unified.ts'

/** Lines of a diff that are shown; `conflicts --diff` has all of them. */
const MAX_LINES = 40

/** A conflict in files, and the folder of its spec. */
export type PickedConflict = ListedConflict & { readonly root: string; readonly socket: string }
/** The same in manifests. */
type PickedManifest = ManifestConflict & { readonly socket: string }

type Choice = Keep | 'merge' | 'skip' | 'quit'
const choices: Readonly<Record<string, Choice>> = {
  l: 'local',
  r: 'remote',
  b: 'both',
  m: 'merge',
  s: 'skip',
  q: 'quit',
}
/** Of manifests one side stays, or the other. */
const manifestChoices: Readonly<Record<string, Choice>> = { l: 'local', r: 'remote', s: 'skip', q: 'quit' }
const MANIFEST_QUESTION = 'Keep [l]ocal or [r]emote, [s]kip, [q]uit?'
const QUESTION = 'Keep [l]ocal, [r]emote or [b]oth, [m]erge, [s]kip, [q]uit?'

/** Shows one conflict after the other and settles each as the person says; what is skipped waits. */
export async function pickConflicts(
  cli: Cli,
  ask: Ask,
  found: readonly (PickedConflict | PickedManifest)[],
): Promise<void> {
  let settled = 0
  for (const [index, conflict] of found.entries()) {
    const position = `${index + 1} of ${found.length}`
    if (conflict.kind === 'files') await show(cli, conflict, position)
    else cli.io.stderr.write(showManifestConflict(conflict, position))
    const ending = await settle(cli, ask, conflict)
    if (ending === 'settled') settled++
    if (ending === 'quit') break
  }
  cli.io.stdout.write(`${count(settled, 'conflict')} settled, ${found.length - settled} left\n`)
  if (settled < found.length) cli.exitCode = 1
}

async function show(cli: Cli, conflict: PickedConflict, position: string): Promise<void> {
  const { spec, pod, path, message, local, remote } = conflict
  const { stderr } = cli.io
  const lines = [
    `${position}: ${path} (${spec}, pod ${pod})`,
    `  ${message}`,
    `  local:  ${describeVersion(local, false)}`,
    `  remote: ${describeVersion(remote, false)}`,
  ]
  stderr.write(`\n${lines.map(printable).join('\n')}\n`)
  if (local?.kind === 'file' && remote?.kind === 'file') stderr.write(await diffOf(conflict))
}

/** What differs, unless that cannot be shown. */
async function diffOf({ socket, root, spec, path, pod }: PickedConflict): Promise<string> {
  const { askContent } = await import('../daemon/client.ts')
  try {
    const remote = await askContent(socket, { spec, path, pod })
    if (remote === undefined) return ''
    const { output } = await unifiedDiff(
      { label: `local/${path}`, what: join(root, path) },
      { label: `remote/${path}`, what: remote },
    )
    if (output.startsWith('Binary files')) return '  they are no texts\n'
    const lines = printableLines(output).split('\n')
    const more = lines.length - MAX_LINES
    if (more <= 0) return lines.join('\n')
    return `${lines.slice(0, MAX_LINES).join('\n')}\n  … ${count(more, 'more line')}: \`conflicts --diff\` shows all\n`
  } catch (error) {
    if (!(error instanceof KubesyncError)) throw error
    return `  what differs cannot be shown: ${printable(error.message)}\n`
  }
}

async function settle(
  cli: Cli,
  ask: Ask,
  conflict: PickedConflict | PickedManifest,
): Promise<'settled' | 'skipped' | 'quit'> {
  const [question, offered] =
    conflict.kind === 'files' ? [QUESTION, choices] : [MANIFEST_QUESTION, manifestChoices]
  for (;;) {
    const answer = await ask(question)
    if (answer === undefined) return 'quit'
    const choice = offered[answer.toLowerCase().slice(0, 1)]
    if (choice === 'quit') return choice
    if (choice === 'skip') return 'skipped'
    if (choice === undefined) continue
    try {
      if (await carryOut(cli, conflict, choice)) return 'settled'
    } catch (error) {
      if (!(error instanceof KubesyncError)) throw error
      cli.io.stderr.write(describeError(error, { verbose: cli.verbose, stderr: cli.io.stderr }))
      if (error.code === 'NO_SUCH_CONFLICT') return 'skipped'
    }
  }
}

async function carryOut(
  cli: Cli,
  conflict: PickedConflict | PickedManifest,
  choice: Keep | 'merge',
): Promise<boolean> {
  if (conflict.kind === 'manifests') {
    if (choice === 'merge' || choice === 'both') return false
    await settleManifests(cli, { socket: conflict.socket, keep: choice }, [conflict])
    return true
  }
  const { askResolve } = await import('../daemon/client.ts')
  const { socket, root, spec, path, pod } = conflict
  const target: Target = { socket, root, spec, path, pod }
  if (choice === 'merge') return mergeShown(cli, target, false)
  if ((await askResolve(socket, { spec, path, pod }, choice)) === undefined) throw noWatch(cli)
  return true
}
