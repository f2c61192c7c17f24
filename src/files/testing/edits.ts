import fc from 'fast-check'
import type { Path } from '../tree.ts'
import type { Edit } from './memory-files.ts'

/** Few paths, so that edits meet, nest and replace each other. */
const anyPath: fc.Arbitrary<Path> = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'))

/** Few contents, some of one size, so that both sides sometimes write the same. */
const anyContent = fc.constantFrom('', '1', '2', 'long')

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('write' as const), path: anyPath, content: anyContent }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('mkdir', 'remove', 'chmod', 'touch'), path: anyPath }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('symlink' as const),
      path: anyPath,
      target: fc.constantFrom('x', 'y'),
    }),
  },
)

/** Edits of everything that can be synced. */
export const anyEdits: fc.Arbitrary<Edit[]> = fc.array(anyEdit, { maxLength: 12 })

/** The same, and now and then something that cannot. */
export const anyEditsAndSockets: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: anyEdit },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('socket' as const), path: anyPath }) },
  ),
  { maxLength: 12 },
)
