import { relative } from 'node:path'
import { Option } from 'commander'
import type { Ending } from '../../manifests/carry/interrupted.ts'
import type { Session } from '../../manifests/session.ts'
import type { Word } from '../../manifests/survey/choose.ts'
import type { Folder } from '../../manifests/survey/folder.ts'
import { printable } from '../../ui/text.ts'
import { connect } from '../connect.ts'
import type { Cli } from '../io.ts'
import {
  type ConfigOptions,
  type ConfirmOptions,
  configOptions,
  confirmOption,
  type KubeOptions,
  kubeOptions,
} from '../options.ts'
import { pathsOf } from '../paths.ts'
import { findFolder, settingsOf } from '../where.ts'

/** What all commands for manifests take. */
export interface ManifestOptions extends KubeOptions, ConfigOptions {}

/** What those that write take. */
export interface WriteOptions extends ManifestOptions, ConfirmOptions {
  readonly force?: true
  readonly conflicts?: Conflicts
  readonly git?: boolean
  readonly pullRequest?: true
  readonly interrupted?: Ending
}

/** What is done about conflicts where nobody is asked, and `--force` alone leaves them. */
export type Conflicts = 'take' | 'leave' | 'adopt'

export function manifestOptions(): Option[] {
  return [...kubeOptions(), ...configOptions()]
}

export function writeOptions(): Option[] {
  return [
    new Option('-f, --force', 'do not ask'),
    new Option(
      '--conflicts <how>',
      'with --force, of what changed on both sides or is held by others: `take` it all the same, `leave` it, or `adopt` the other side',
    ).choices(['take', 'leave', 'adopt']),
    interruptedOption(),
    confirmOption(),
    new Option('--git', 'commit what is written, one commit for all of it; the branch has to be up to date'),
    new Option('--no-git', 'do not, whatever the configuration says'),
    new Option('--pull-request', 'commit on a branch of its own, push it, and open a pull request of GitHub'),
  ]
}

export function interruptedOption(): Option {
  return new Option(
    '--interrupted <how>',
    'what is done first about an earlier change that was interrupted: `finish` or `undo` it',
  ).choices(['finish', 'undo'])
}

/** What a command works with. */
export interface Desk {
  readonly session: Session
  /** What the words on the command line mean. */
  readonly words: readonly Word[]
  /** Where new files go, if the folder says so. */
  readonly layout: string | undefined
  /** Reads the files that they need. */
  read(): Promise<Folder>
}

/** Opens the cluster and the folder that the command line means, and closes them again. */
export async function atDesk(
  cli: Cli,
  { options, words: given }: { options: ManifestOptions; words: readonly string[] },
  use: (desk: Desk) => Promise<void>,
): Promise<void> {
  const [{ openSession }, { surveyFolder }, { readWords }, { checkPin }, { setting }, { withLock }] =
    await Promise.all([
      import('../../manifests/session.ts'),
      import('../../manifests/survey/folder.ts'),
      import('../../manifests/survey/choose.ts'),
      import('../../manifests/folder/pin.ts'),
      import('../../config/settings.ts'),
      import('../../config/lock.ts'),
    ])
  const { cwd } = cli.io
  const settings = await settingsOf(cli, options)
  const { root, pin, isElsewhere } = await findFolder(cli, settings)
  if (isElsewhere) cli.io.stderr.write(`in ${printable(root)}\n`)
  const words = await readWords(given, cwd, root)
  const client = await connect(cli, options, pin)
  try {
    checkPin(pin, { context: client.context.name, server: client.context.server })
    const { state } = pathsOf(cli, options)
    const secrets = setting('journal.secrets', settings)
    const sanitize = setting('sanitize', settings)
    const command = cli.args.join(' ')
    const session = await openSession({ client, root, state, secrets, sanitize, command, withLock })
    // Names are looked for everywhere; where only paths are named, nothing else is read.
    const paths = words.flatMap((word) => ('path' in word ? [word.path] : []))
    const isNamed = words.length > 0 && paths.length === words.length
    const read = () => surveyFolder(session, isNamed ? paths : ['.', ...paths])
    // Where nothing is named, what is below the folder that one stands in.
    const here = isElsewhere ? '' : relative(root, cwd)
    const meant = words.length > 0 || here === '' ? words : [{ path: here }]
    await use({ session, words: meant, read, layout: pin.layout ?? setting('layout', settings) }).finally(
      () => session.close(),
    )
  } finally {
    client.close()
  }
}
