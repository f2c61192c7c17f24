import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Path } from '../../tree.ts'

/** Something a user, or a program of theirs, does in a directory. */
export type Change =
  | { readonly kind: 'write'; readonly path: Path; readonly content: string }
  | { readonly kind: 'mkdir' | 'remove' | 'touch'; readonly path: Path }
  | { readonly kind: 'rename'; readonly path: Path; readonly to: Path }
  | { readonly kind: 'symlink'; readonly path: Path; readonly target: string }
  | { readonly kind: 'chmod'; readonly path: Path; readonly mode: number }

/** Few names, so that changes meet. */
const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
  .map((names) => names.join('/'))

const target = fc.constantFrom('no/where', '../no/where', '/no/where')
const operation = fc.constantFrom('mkdir' as const, 'mkdir' as const, 'remove' as const, 'touch' as const)

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    path,
    content: fc.constantFrom('', 'one', 'two', 'three'),
  }),
  fc.record({ kind: operation, path }),
  fc.record({ kind: fc.constant('rename' as const), path, to: path }),
  fc.record({ kind: fc.constant('symlink' as const), path, target }),
  fc.record({ kind: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o644, 0o755) }),
)

export const anyChanges = fc.array(change, { minLength: 1, maxLength: 40 })

/** Does it, if it can be done; returns the paths it is about. */
export function carryOut(root: string, change: Change): Path[] {
  const at = join(root, change.path)
  try {
    switch (change.kind) {
      case 'write':
        writeFileSync(at, change.content)
        break
      case 'mkdir':
        mkdirSync(at, { recursive: true })
        break
      case 'remove':
        rmSync(at, { recursive: true, force: true })
        break
      case 'touch':
        utimesSync(at, 1, 1)
        break
      case 'rename':
        renameSync(at, join(root, change.to))
        return [change.path, change.to]
      case 'symlink':
        symlinkSync(change.target, at)
        break
      case 'chmod':
        chmodSync(at, change.mode)
        break
    }
  } catch {
    // Something is in the way, or is not there: so it is with users.
  }
  return [change.path]
}
