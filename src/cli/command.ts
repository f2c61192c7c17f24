import { Command, type Option } from 'commander'
import type { Cli } from './io.ts'

export interface CommandWords {
  /** As commander takes it: `delete [names...]`. */
  readonly usage: string
  /** One sentence. */
  readonly summary: string
  /** What the sentence leaves open. */
  readonly details?: string
  /** Command lines without the program's name. */
  readonly examples: readonly string[]
}

/** A command with its help. */
export function newCommand(cli: Cli, words: CommandWords, options: readonly Option[]): Command {
  const [name = '', ...parameters] = words.usage.split(' ')
  const command = new Command(name)
    .summary(words.summary.replace(/\.$/, ''))
    .description(words.details === undefined ? words.summary : `${words.summary}\n\n${words.details}`)
  for (const parameter of parameters) command.argument(parameter)
  for (const option of options) command.addOption(option)
  const examples = words.examples.map((example) => `  $ ${cli.name} ${example}`).join('\n')
  const title = words.examples.length === 1 ? 'Example' : 'Examples'
  return command.addHelpText('after', `\n${title}:\n${examples}`)
}
