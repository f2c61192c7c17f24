import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Mounts an empty volume in memory, which goes with the test at the latest. Returns what unmounts it. */
export function mount(at: string, size = '16m'): () => void {
  const done = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', at])
  if (done.status !== 0) throw new Error(`cannot mount: ${done.stderr}`)
  const unmount = () => void spawnSync('umount', ['-l', at])
  onTestFinished(unmount)
  return unmount
}

/** Mounts again with other options, such as `ro` or `size=1m`. */
export function remount(at: string, options: string): void {
  const done = spawnSync('mount', ['-o', `remount,${options}`, at])
  if (done.status !== 0) throw new Error(`cannot mount again: ${done.stderr}`)
}

/** Root may not mount in every container: a try tells. */
export function canMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'kubesync-mount-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', at]).status === 0
  if (mounted) spawnSync('umount', [at])
  rmdirSync(at)
  return mounted
}
