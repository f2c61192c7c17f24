import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export const containerId = 'c0ffee'.padEnd(64, '0')

/** A process that counts as the first one of a container. */
export interface Subject {
  readonly child: ChildProcess
  readonly pid: number
  /** Where it is shown as on a node. */
  readonly procfs: string
  /** It writes there. */
  readonly home: string
  /** Lines of a file of its own, once there are so many. */
  lines(name: string, count: number): Promise<string[]>
  end(): Promise<void>
}

export async function startSubject(command: string, args: readonly string[]): Promise<Subject> {
  const home = mkdtempSync(join(tmpdir(), 'kubesync-reload-'))
  const child = spawn(command, args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const procfs = join(home, 'proc')
  mkdirSync(join(procfs, String(pid)), { recursive: true })
  writeFileSync(join(procfs, String(pid), 'cgroup'), `0::/pod/${containerId}\n`)
  symlinkSync(`/proc/${pid}/stat`, join(procfs, String(pid), 'stat'))
  const read = (name: string) => {
    try {
      return readFileSync(join(home, name), 'utf8').split('\n').filter(Boolean)
    } catch {
      return []
    }
  }
  return {
    ...{ child, pid, procfs, home },
    async lines(name, count) {
      const until = Date.now() + 20_000
      while (read(name).length < count && Date.now() < until) await delay(5)
      return read(name)
    },
    async end() {
      const over = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
      await over
      rmSync(home, { recursive: true, force: true })
    },
  }
}
