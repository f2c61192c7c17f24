import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Which operations were begun and have not ended: an empty file for each, made before the first record and removed after the last. So
 * a command sees by one look at the disk that nothing was interrupted, and reads no journal.
 */
export interface UnderWay {
  open(operation: string): void
  close(operation: string): void
  list(): string[]
}

/** @param folder where the files are; made when it is needed. */
export function operationsIn(folder: string): UnderWay {
  return {
    open(operation) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(join(folder, operation), '', { mode: 0o600 })
    },
    close: (operation) => rmSync(join(folder, operation), { force: true }),
    list() {
      try {
        return readdirSync(folder)
      } catch {
        return []
      }
    },
  }
}
