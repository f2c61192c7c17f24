import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { signalGroup } from './process.ts'

const maxOutput = 10 << 10

export interface CommandResult {
  readonly code: number
  /** What it said on stdout and stderr, as far as it is kept. */
  readonly output: string
}

/** Follows a command that was just started to its end, which comes at the latest after a time. */
export async function runCommand(child: ChildProcess, timeoutMs: number): Promise<CommandResult> {
  let output = ''
  const take = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(0, maxOutput)
  }
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)
  const failed = await started(child)
  if (failed !== undefined) return { code: 127, output: failed }
  let late = false
  const timer = setTimeout(() => {
    late = true
    signalGroup(child, 'SIGKILL')
  }, timeoutMs)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  return late
    ? { code: 137, output: `command timed out after ${timeoutMs / 1000}s` }
    : { code: code ?? 137, output }
}

/** Why a process could not be started, in a runtime's words; undefined when it runs. */
export async function started(child: ChildProcess): Promise<string | undefined> {
  try {
    await once(child, 'spawn')
    return undefined
  } catch (error) {
    const file = child.spawnfile
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const missing = code === 'ENOENT' ? `stat ${file}: no such file or directory` : 'permission denied'
    const known = code === 'ENOENT' || code === 'EACCES'
    const why = !known ? String(error) : file.includes('/') ? missing : 'executable file not found in $PATH'
    return `unable to start container process: exec: "${file}": ${why}: unknown`
  }
}
