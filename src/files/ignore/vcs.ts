import type { Pattern } from './pattern.ts'
import type { Candidate } from './pattern-list.ts'

/**
 * Where version control keeps its own: whoever writes there can have commands run by whoever uses it. Some
 * filesystems know no case, and Windows has `GIT~1` for `.git`; a `.git` may also be a file that names a directory.
 */
const inAnyCase = new Set(['.git', 'git~1', '.hg', '.svn', '.jj', '.sl', '.bzr', '.pijul', '_darcs'])
const LONGEST = Math.max(...[...inAnyCase].map(({ length }) => length))
const CVS = 'CVS'

const found: Pattern = { isNegated: false, directoriesOnly: false, anyDepth: true, glob: [] }
const foundCvs: Pattern = { ...found, directoriesOnly: true }

/** What version control has to do with a path, as if a pattern said so. */
export const vcsPatterns = {
  isEmpty: false,
  find({ name }: Candidate, isDirectory: boolean): Pattern | undefined {
    if (name.length > LONGEST) return undefined
    if (name === CVS) return isDirectory ? foundCvs : undefined
    return inAnyCase.has(name.toLowerCase()) ? found : undefined
  },
}
