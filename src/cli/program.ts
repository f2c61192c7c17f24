import { Command, type Option } from 'commander'
import { KubesyncError } from '../errors.ts'
import { version } from '../version.ts'
import { cleanCommand } from './clean.ts'
import { configureCommand } from './configure.ts'
import { conflictsCommand } from './conflicts.ts'
import { createCommand } from './create.ts'
import { daemonCommand } from './daemon.ts'
import { deleteCommand } from './delete.ts'
import { demoCommand } from './demo.ts'
import { envCommand } from './env.ts'
import { filesCommand } from './files.ts'
import { getCommand } from './get.ts'
import { initCommand } from './init.ts'
import type { Cli } from './io.ts'
import { listCommand } from './list.ts'
import { deployCommand } from './manifests/deploy.ts'
import { diffCommand } from './manifests/diff.ts'
import { historyCommand } from './manifests/history.ts'
import { promoteCommand } from './manifests/promote.ts'
import { pullCommand } from './manifests/pull.ts'
import { pushCommand } from './manifests/push.ts'
import { revertCommand } from './manifests/revert.ts'
import { sanitizeCommand } from './manifests/sanitize.ts'
import { scaleCommand, setCommand } from './manifests/short-forms.ts'
import { configOptions, kubeOptions, verboseOption } from './options.ts'
import { reloadCommand } from './reload.ts'
import { resolveCommand } from './resolve.ts'
import { resumeCommand } from './resume.ts'
import { runCommand } from './run.ts'
import { sandboxCommand } from './sandbox.ts'
import { undoCommand } from './undo.ts'
import { watchCommand } from './watch.ts'

/** The whole command line. Commands load what they need when they run. */
export function createProgram(cli: Cli): Command {
  const program = new Command(cli.name)
    .description(
      'Keeps a folder here and folders inside running containers equal, and a folder of manifests and a cluster.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', introduction(cli.name))
    .configureHelp({ subcommandTerm: termOf })
    // Options before a command's name are the program's, those after it the command's.
    .enablePositionalOptions()
    .hook('preAction', (_program, command) => adoptOptions(program, command))
  for (const option of sharedOptions()) program.addOption(option)
  program.commandsGroup('The agent:')
  program.addCommand(initCommand(cli)).addCommand(cleanCommand(cli))
  program.commandsGroup('What to sync:')
  program.addCommand(createCommand(cli)).addCommand(deleteCommand(cli)).addCommand(listCommand(cli))
  program.commandsGroup('Syncing:')
  program.addCommand(watchCommand(cli)).addCommand(runCommand(cli))
  program.addCommand(getCommand(cli)).addCommand(resumeCommand(cli)).addCommand(reloadCommand(cli))
  program.addCommand(filesCommand(cli))
  program.addCommand(undoCommand(cli))
  program.addCommand(conflictsCommand(cli)).addCommand(resolveCommand(cli))
  program.commandsGroup('Manifests:')
  program.addCommand(pullCommand(cli)).addCommand(diffCommand(cli)).addCommand(pushCommand(cli))
  program.addCommand(deployCommand(cli)).addCommand(promoteCommand(cli)).addCommand(revertCommand(cli))
  program.addCommand(scaleCommand(cli)).addCommand(setCommand(cli))
  program.addCommand(historyCommand(cli)).addCommand(sanitizeCommand(cli))
  program.addCommand(daemonCommand(cli))
  program.commandsGroup('Settings:')
  program.addCommand(envCommand(cli)).addCommand(configureCommand(cli))
  program.commandsGroup('Without a cluster:')
  program.addCommand(demoCommand(cli)).addCommand(sandboxCommand(cli))
  for (const command of [program, ...program.commands]) prepare(command, program, cli)
  return program
}

/** A command in the list of commands: with its arguments, without `[options]`. */
function termOf(command: Command): string {
  const parameters = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name()
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...parameters].join(' ')
}

function introduction(name: string): string {
  return `
The first steps, in a folder with the files of a Deployment labelled app=demo:
  $ ${name} init
  $ ${name} create --selector=app=demo . /app
  $ ${name} watch`
}

function sharedOptions(): Option[] {
  return [...kubeOptions(), ...configOptions(), verboseOption()]
}

/** What all commands have in common. */
function prepare(command: Command, program: Command, cli: Cli): void {
  const help = command === program ? `${cli.name} --help` : `${cli.name} ${command.name()} --help`
  command
    .exitOverride()
    .showHelpAfterError(`hint: \`${help}\` shows what it takes`)
    .configureOutput({
      writeOut: (text) => void cli.io.stdout.write(text),
      writeErr: (text) => void cli.io.stderr.write(text),
      getOutHelpWidth: () => cli.io.stdout.columns ?? 100,
      getErrHelpWidth: () => cli.io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  if (command === program) return
  command.helpOption('-h, --help', 'print help').addOption(verboseOption())
  command.hook('preAction', () => {
    cli.verbose = command.getOptionValue('verbose') === true
  })
}

/** Gives a command the options that stood before its name, as kubectl takes them. */
function adoptOptions(program: Command, command: Command): void {
  for (const option of program.options) {
    const name = option.attributeName()
    if (program.getOptionValueSource(name) !== 'cli') continue
    if (!command.options.some((own) => own.attributeName() === name)) {
      throw new KubesyncError('USAGE', `\`${command.name()}\` takes no ${option.long ?? option.flags}`)
    }
    if (command.getOptionValueSource(name) === 'cli') continue
    command.setOptionValueWithSource(name, program.getOptionValue(name), 'cli')
  }
}
