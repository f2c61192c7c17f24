import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly cwd?: string
  /** Milliseconds; afterwards the process is killed and the run rejects with what it had said. */
  readonly limit?: number
}

/** How long a process that is asked to end is waited for. */
const patience = 10_000

/** A process under test, and what it has said so far. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly exited: Promise<Finished>
  stdout = ''
  stderr = ''

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd, stdio: 'pipe' })
    this.child.stdin.on('error', () => {})
    if (options.input !== undefined) this.child.stdin.end(options.input)
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  kill(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal)
    return this.exited
  }

  /** Ends it, however it takes that. */
  async end(): Promise<Finished> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), patience)
    return this.kill('SIGTERM').finally(() => clearTimeout(late))
  }
}

/** Runs a command to its end, whatever its exit code. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const limit = options.limit ?? 120_000
  const running = new Running(command, args, options)
  let late = false
  const timer = setTimeout(() => {
    late = true
    running.child.kill('SIGKILL')
  }, limit)
  const finished = await running.exited
  clearTimeout(timer)
  if (late) {
    throw new Error(
      `${command} ${args.join(' ')} took more than ${limit} ms and said:\n${finished.stdout}${finished.stderr}`,
    )
  }
  return finished
}

/** Runs a command that must succeed; its stdout. */
export async function must(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`)
  return stdout
}
