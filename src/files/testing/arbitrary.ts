import fc from 'fast-check'
import type { Digest, Entry, Node, Path, Stamp } from '../tree.ts'

const real = fc.double({ min: -1e15, max: 1e15, noNaN: true })

export const anyStamp: fc.Arbitrary<Stamp> = fc.record({
  mtimeMs: real,
  ctimeMs: real,
  ino: fc.double({ min: 0, max: 2 ** 64, noNaN: true }),
  size: fc.maxSafeNat(),
  mode: fc.nat(0xffff_ffff),
})

export const anyDigest: fc.Arbitrary<Digest> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

const anyName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..')

export const anyPath: fc.Arbitrary<Path> = fc
  .array(anyName, { minLength: 1, maxLength: 5 })
  .map((names) => names.join('/'))

export const anyTarget = fc.oneof(anyPath, fc.constant('../up'), fc.constant('/absolute'))

export const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), executable: fc.boolean(), stamp: anyStamp }),
  fc.record({
    kind: fc.constant('file' as const),
    executable: fc.boolean(),
    stamp: anyStamp,
    digest: anyDigest,
  }),
  fc.record({ kind: fc.constant('symlink' as const), target: anyTarget, stamp: anyStamp }),
  fc.record({ kind: fc.constant('directory' as const), stamp: anyStamp }),
  fc.record({
    kind: fc.constant('directory' as const),
    stamp: anyStamp,
    hasIgnored: fc.constant(true as const),
  }),
  fc.record({
    kind: fc.constant('directory' as const),
    stamp: anyStamp,
    isMount: fc.constant(true as const),
  }),
  fc.record({ kind: fc.constant('opaque' as const), reason: fc.string() }),
)

/** Trees of few names, so that two of them have much in common and yet differ. */
export function smallTree(leaf: fc.Arbitrary<Entry>, directory: fc.Arbitrary<Entry>): fc.Arbitrary<Node> {
  const { tree } = fc.letrec<{ tree: Node; node: Node }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf.map((entry): Node => ({ entry })),
      tie('tree'),
    ),
    tree: fc
      .tuple(directory, fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('node'), { maxKeys: 4 }))
      .map(([entry, children]): Node => ({ entry, children: new Map(Object.entries(children)) })),
  }))
  return tree
}
