import { basename } from 'node:path'
import { CommanderError } from 'commander'
import { type Cli, Interrupted, type Io } from './io.ts'
import { createProgram } from './program.ts'
import { describeError } from './report.ts'

const names = ['kubesync', 'ksync', 'kubectl-ksync']

/** What to call the program in usage and hints, from the path it was started by. */
export function programName(argv1: string): string {
  const name = basename(argv1).replace(/\.(js|cmd|exe|ps1)$/, '')
  // kubectl starts its plug-ins by that name, and people type a blank.
  return names.includes(name) ? name.replace('kubectl-', 'kubectl ') : 'ksync'
}

/** Carries out a command line and resolves with its exit code; everything it says goes to `io`. */
export async function runCli(args: readonly string[], given: { name: string; io: Io }): Promise<number> {
  const cli: Cli = { ...given, args, exitCode: 0, verbose: false }
  const program = createProgram(cli)
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync([...args], { from: 'user' })
    return cli.exitCode
  } catch (error) {
    return exitCodeOf(error, cli, args)
  }
}

function exitCodeOf(error: unknown, cli: Cli, args: readonly string[]): number {
  const failed = failureCode(args)
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : failed
  const { signal, stderr } = cli.io
  if (signal.aborted && signal.reason instanceof Interrupted) return signal.reason.exitCode
  stderr.write(describeError(error, { verbose: cli.verbose, stderr }))
  return failed
}

/** The exit code of a failure. Comparing and `run --once` have 1 for "not the same"; a failure is more than that. */
export function failureCode(args: readonly string[]): number {
  const command = args.find((arg) => !arg.startsWith('-'))
  if (command === 'diff' || (command === 'conflicts' && args.some((arg) => arg.startsWith('--diff'))))
    return 2
  return args.includes('run') && args.includes('--once') ? 2 : 1
}
