import { refusalOf } from './refusal.ts'
import type { ReplicaInfo } from './replica.ts'
import type { Root } from './root.ts'

/** What is known of a root; of one that is not there, that it is not. */
export function infoOf(root: Root | undefined): ReplicaInfo {
  const { dev, ino } = root?.dir.stat() ?? { dev: 0, ino: 0 }
  return {
    root: { dev, ino },
    storage: root?.storage ?? { kind: 'local', id: '' },
    // Windows has neither.
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    readOnly: root && reasonNotToWrite(root),
  }
}

function reasonNotToWrite({ dir }: Root): string | undefined {
  try {
    dir.checkWritable()
    return undefined
  } catch (error) {
    return refusalOf(error, 'written').message
  }
}
