import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../errors.ts'

/** Tells every process of a container, and what it starts, by the container's directory. */
export const rootVariable = 'KUBESYNC_SANDBOX_ROOT'

export interface Command {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: boolean
}

/**
 * Starts a process in a group of its own. The group is on record in a directory until its first process ends, so that
 * whoever comes after a sandbox that was killed can end what it left.
 */
export function startProcess(command: Command, records: string): ChildProcess {
  const [file = '', ...args] = command.argv
  const child = spawn(file, args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: [command.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) return child
  const record = join(records, String(pid))
  try {
    mkdirSync(records, { recursive: true })
    writeFileSync(record, birthOf(pid) ?? '')
  } catch (error) {
    kill(-pid, 'SIGKILL')
    throw error
  }
  child.once('exit', () => rmSync(record, { force: true }))
  return child
}

/** Why a process could not be started, in a runtime's words; undefined when it runs. */
export async function whyNotStarted(child: ChildProcess): Promise<string | undefined> {
  try {
    await once(child, 'spawn')
    return undefined
  } catch (error) {
    const file = child.spawnfile
    const known = ['ENOENT', 'EACCES'].includes(errnoOf(error) ?? '')
    const missing =
      errnoOf(error) === 'ENOENT' ? `stat ${file}: no such file or directory` : 'permission denied'
    const why = file.includes('/') ? missing : 'executable file not found in $PATH'
    return `unable to start container process: exec: "${file}": ${known ? why : error}: unknown`
  }
}

/** Sends a signal to a process's whole group; that it is gone is no error. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) kill(-child.pid, signal)
}

/**
 * Ends everything that runs in a directory of containers, whatever group it moved to: the environment tells. As a
 * container's end does it, and Linux only.
 */
export function killInside(directory: string): void {
  // What forks while it is looked for, or has no environment in the midst of an exec, is found in the next round.
  for (let quiet = 0, round = 0; quiet < 2 && round < 10; round += 1) {
    const found = marked(directory)
    quiet = found.length === 0 ? quiet + 1 : 0
    for (const pid of found) kill(pid, 'SIGKILL')
  }
}

/** Ends what an earlier sandbox left: the groups on record, unless their number is another process's by now. */
export function reap(records: string, containers: string): void {
  for (const name of list(records)) {
    const birth = read(join(records, name))
    if (birth !== '' && birth === birthOf(Number(name))) kill(-Number(name), 'SIGKILL')
    rmSync(join(records, name), { force: true })
  }
  killInside(containers)
}

/** Removes a directory, also while somebody makes files in it: what is dying, or the agent. */
export function removeTree(path: string): void {
  // Nobody finds it by another name; whoever is in it already may go on for a while.
  const aside = `${path}.${randomUUID()}`
  tried(() => renameSync(path, aside))
  const place = existsSync(aside) ? aside : path
  // What was made while it went is found in the next round; should that not end, it goes with the node.
  for (let round = 0; round < 20 && existsSync(place); round += 1) {
    tried(() => rmSync(place, { recursive: true, force: true }))
  }
}

/** When a process began, with the machine's boot: no two processes share it and their id. */
function birthOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return tried(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim())
  }
  const stat = read(`/proc/${pid}/stat`)
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return ticks && `${read('/proc/sys/kernel/random/boot_id')?.trim()} ${ticks}`
}

function marked(directory: string): number[] {
  if (process.platform !== 'linux') return []
  const mark = `\0${rootVariable}=${directory}/`
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((name) => `\0${read(`/proc/${name}/environ`)}`.includes(mark))
    .map(Number)
}

const kill = (pid: number, signal: NodeJS.Signals) => tried(() => process.kill(pid, signal))
const list = (directory: string) => tried(() => readdirSync(directory)) ?? []
const read = (path: string) => tried(() => readFileSync(path, 'utf8'))

/** What goes at any time, as processes do: what is asked of it then is undefined. */
function tried<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
