import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
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
