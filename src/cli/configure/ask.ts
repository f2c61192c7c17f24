import { type KeyName, keyNames, keyOf } from '../../config/keys.ts'
import { rawSetting } from '../../config/settings.ts'
import { changeSettings, type SettingChange } from '../../config/store.ts'
import { KubesyncError } from '../../errors.ts'
import { styleFor } from '../../ui/style.ts'
import { count, printable } from '../../ui/text.ts'
import type { Ask } from '../ask.ts'
import type { ConfigureOptions } from '../configure.ts'
import type { Cli } from '../io.ts'
import { pathsOf } from '../paths.ts'
import { describeError } from '../report.ts'
import { settingsOf } from '../where.ts'
import { changeOf, wordsOf } from './keys.ts'

/** Asks for one key after the other, and writes what was answered at the end; who leaves changes nothing. */
export async function askForKeys(cli: Cli, options: ConfigureOptions): Promise<void> {
  const { ask, stderr } = cli.io
  if (ask === undefined) {
    throw new KubesyncError('NO_TERMINAL', 'there is no terminal to ask at', {
      hint: `\`${cli.name} configure set KEY VALUE\` sets one key, and \`${cli.name} configure list\` shows all`,
    })
  }
  const { config } = pathsOf(cli, options)
  const source = await settingsOf(cli, options)
  stderr.write(`This is about ${printable(config)}; --config or $KUBESYNC_CONFIG names another.\n`)
  stderr.write('Enter keeps what is in brackets, and - goes back to the default.\n')
  const changes: SettingChange[] = []
  for (const name of keyNames.filter((one) => keyOf(one).isAsked === true)) {
    const { value, source: from } = rawSetting(name, source)
    const now = `${wordsOf(value)}${from === 'environment' ? `, of $${keyOf(name).env}` : ''}`
    const change = await askFor(cli, ask, { name, now })
    if (change === undefined) {
      stderr.write('\nnothing was changed\n')
      cli.exitCode = 1
      return
    }
    changes.push(...change)
  }
  await changeSettings(config, changes)
  stderr.write(changes.length === 0 ? 'nothing was changed\n' : `${count(changes.length, 'key')} changed\n`)
}

/** What is to be changed of a key; undefined if nobody answers any more. */
async function askFor(
  { io: { stderr } }: Cli,
  ask: Ask,
  { name, now }: { readonly name: KeyName; readonly now: string },
): Promise<readonly SettingChange[] | undefined> {
  const { doc, allowed } = keyOf(name)
  stderr.write(`\n${doc}: ${allowed}.\n`)
  for (;;) {
    const answer = await ask(`${styleFor(stderr)('bold', name)} [${printable(now)}]:`)
    if (answer === undefined) return undefined
    if (answer === '') return []
    try {
      return [changeOf({ given: name, words: answer === '-' ? undefined : [answer] })]
    } catch (error) {
      if (!(error instanceof KubesyncError)) throw error
      stderr.write(describeError(error, { verbose: false, stderr }))
    }
  }
}
