import { sameStamp } from '../files/delta.ts'
import type { Operation } from '../files/operation.ts'
import type { Entry, Path } from '../files/tree.ts'

/** Which of a spec's changes came from a container: what goes on from here to others is not this machine's. */
export interface Origins {
  /** An operation was carried out here; what is there now, null after a removal. */
  received(path: Path, entry: Entry | null): void
  /** Whether an operation for a container is about a change that somebody made here. */
  isOurs(operation: Operation): boolean
}

/** The others have what came from one container soon, or never. */
const most = 10_000

export function newOrigins(): Origins {
  const known = new Map<Path, Entry | null>()
  return {
    received(path, entry) {
      known.delete(path)
      known.set(path, entry)
      const [oldest] = known.keys()
      if (known.size > most && oldest !== undefined) known.delete(oldest)
    },
    isOurs(operation) {
      const entry = known.get(operation.path)
      return entry === undefined || !makes(operation, entry)
    },
  }
}

/** Whether an operation makes of a path what came here from a container. */
function makes(operation: Operation, entry: Entry | null): boolean {
  switch (operation.op) {
    case 'remove':
      return entry === null
    case 'mkdir':
      return entry?.kind === 'directory'
    case 'symlink':
      return entry?.kind === 'symlink' && entry.target === operation.target
    case 'put':
      return entry?.kind === 'file' && sameStamp(entry.stamp, operation.source.stamp)
    default:
      return entry?.kind === 'file' && entry.executable === operation.executable
  }
}
