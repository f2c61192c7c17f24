import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const base = existsSync('/dev/shm') ? '/dev/shm' : realpathSync(tmpdir())

/** An empty directory, gone again after the test. */
export function temporaryRoot(): string {
  const root = mkdtempSync(join(base, 'kubesync-replica-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  return root
}

/** Makes a named pipe, which Node cannot. */
export function makePipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path])
}

export function openDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}
