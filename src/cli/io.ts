import type { Ask } from './ask.ts'
import type { Keyboard } from './pick.ts'

/** A stream to print to: a standard stream, or what stands for it in a test. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  hasColors?(): boolean
}

/** What a command has of the world around it. */
export interface Io {
  /** Data. */
  readonly stdout: Output
  /** Progress, hints and errors. */
  readonly stderr: Output
  readonly env: NodeJS.ProcessEnv
  /** Absolute; relative paths on the command line are relative to it. */
  readonly cwd: string
  /** Aborted, with an `Interrupted`, when the user or the system wants the command to end. */
  readonly signal: AbortSignal
  /** Asks the person at the terminal; absent where there is none. */
  readonly ask?: Ask
  /** The keys of that terminal, one by one; absent where there is none. */
  readonly keyboard?: Keyboard
}

/** Why a command ends before its time. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number

  /** @param exitCode as shells have it: 128 and the signal's number. */
  constructor(exitCode: number) {
    super('interrupted')
    this.exitCode = exitCode
  }
}

/** A command line that is being carried out. */
export interface Cli {
  /** What the user calls the program: `kubesync`, `ksync` or `kubectl ksync`. */
  readonly name: string
  readonly io: Io
  /** The words behind its name. */
  readonly args: readonly string[]
  /** The exit code of a command that ends without an error; 0 unless set. */
  exitCode: number
  /** Whether `-v` was given. */
  verbose: boolean
}
