import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { errnoOf } from '../errors.ts'
import { compileLess } from '../tuning.ts'
import { personAt } from './ask.ts'
import { failureCode, programName, runCli } from './cli.ts'
import { Interrupted } from './io.ts'
import { keyboardOf } from './pick.ts'
import { describeError } from './report.ts'

/** How long an interrupted command may take to leave everything whole, in milliseconds. */
const grace = 15_000

/** Runs a command in this process, with its streams and signals, and ends the process. */
export async function start(args: readonly string[]): Promise<void> {
  compileLess()
  const controller = new AbortController()
  const interrupt = (signal: NodeJS.Signals) => {
    const interrupted = new Interrupted(128 + constants.signals[signal])
    // The second one is from somebody who does not want to wait.
    if (controller.signal.aborted) process.exit(interrupted.exitCode)
    controller.abort(interrupted)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt(signal))
  // Whoever read our output is gone (`| head`): end as if there had been a SIGPIPE, which Node ignores.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (errnoOf(error) === 'EPIPE') interrupt('SIGPIPE')
    })
  }
  const { stdout, stderr, env } = process
  // A defect that no command saw: said as others are, without a page of code.
  process.once('uncaughtException', (error) => {
    const verbose = args.includes('-v') || args.includes('--verbose')
    stderr.write(describeError(error, { verbose, stderr }))
    process.exit(failureCode(args))
  })
  const { signal } = controller
  const hasPerson = process.stdin.isTTY && stderr.isTTY
  const ask = hasPerson && personAt(process.stdin, stderr, signal)
  const keyboard = hasPerson && keyboardOf(process.stdin)
  const io = {
    ...{ stdout, stderr, env, cwd: process.cwd(), signal },
    ...(ask && { ask }),
    ...(keyboard && { keyboard }),
  }
  const code = await Promise.race([
    runCli(args, { name: programName(process.argv[1] ?? ''), io }),
    overdue(controller.signal),
  ])
  await Promise.all([flushed(stdout), flushed(stderr)])
  process.exit(code)
}

/** Resolves when a command was interrupted and did not end in time. */
async function overdue(signal: AbortSignal): Promise<number> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await delay(grace, undefined, { ref: false })
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : 1
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}
