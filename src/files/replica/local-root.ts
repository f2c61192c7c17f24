import { readFileSync } from 'node:fs'
import { openDirectory } from './open-directory.ts'
import type { OpenRoot } from './root.ts'

/** Opens a directory of this machine as a root. The path is to be free of links. */
export function localRoot(path: string): OpenRoot {
  return () => {
    const dir = openDirectory(path)
    const { dev, ino } = dir.stat()
    return { dir, storage: { kind: 'local', id: `${machine} ${dev}:${ino}` } }
  }
}

/** Tells machines apart where there is something that does: systemd's and D-Bus's machine-id(5). */
const machine = machineId()

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim()
  } catch {
    return ''
  }
}
