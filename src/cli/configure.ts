import { Argument, type Command } from 'commander'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import {
  type ConfigOptions,
  configOptions,
  contextOptions,
  type KubeOptions,
  type OutputFormat,
  outputOption,
} from './options.ts'
import { usageError } from './values.ts'

export interface ConfigureOptions extends ConfigOptions, Pick<KubeOptions, 'context' | 'kubeconfig'> {
  readonly output?: OutputFormat
}

const actions = ['list', 'get', 'set', 'unset', 'edit'] as const

export function configureCommand(cli: Cli): Command {
  const words = {
    usage: 'configure',
    summary: 'Shows and changes the configuration; without an action it asks.',
    details: [
      'list shows every key with its value and where that comes from: a flag, the environment, the file, or the default.',
      'set takes several words for a list. unset goes back to the default. edit opens the file in $VISUAL or $EDITOR and',
      'keeps what was there if the new text is broken. Comments of the file stay.',
    ].join(' '),
    examples: [
      'configure',
      'configure list',
      'configure set protectedContexts prod-* live',
      'configure set namespaces.kind-dev shop',
      'configure get git.push',
      'configure unset root',
    ],
  }
  return newCommand(cli, words, [outputOption(), ...contextOptions(), ...configOptions()])
    .addArgument(new Argument('[action]', 'what to do').choices(actions))
    .argument('[key]', 'as `list` has it')
    .argument('[values...]')
    .action(
      (action: (typeof actions)[number] | undefined, ...rest: [string?, string[]?, ConfigureOptions?]) =>
        configure(cli, { action, key: rest[0], values: rest[1] ?? [], options: rest[2] ?? {} }),
    )
}

interface Asked {
  readonly action: (typeof actions)[number] | undefined
  readonly key: string | undefined
  readonly values: readonly string[]
  readonly options: ConfigureOptions
}

async function configure(cli: Cli, { action, key, values, options }: Asked): Promise<void> {
  const keys = await import('./configure/keys.ts')
  if (action === undefined) return (await import('./configure/ask.ts')).askForKeys(cli, options)
  if ((action === 'list' || action === 'edit') && key !== undefined) {
    throw usageError(`\`configure ${action}\` takes no key`)
  }
  if (action === 'list') return keys.listKeys(cli, options)
  if (action === 'edit') return (await import('./configure/edit.ts')).editConfig(cli, options)
  if (key === undefined) throw usageError(`which key? \`${cli.name} configure list\` shows them`)
  if (action !== 'set' && values.length > 0) throw usageError(`\`configure ${action}\` takes one key`)
  if (action === 'get') return keys.getKey(cli, key, options)
  if (action === 'set' && values.length === 0) {
    throw usageError(`to what? \`${cli.name} configure unset ${key}\` goes back to the default`)
  }
  return keys.setKey(cli, { given: key, words: action === 'unset' ? undefined : values }, options)
}
