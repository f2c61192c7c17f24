import { readPatterns } from './pattern.ts'
import { PatternList } from './pattern-list.ts'

/**
 * Where version control keeps its own: whoever writes there can have commands run by whoever uses it. Some
 * filesystems know no case, and Windows has `GIT~1` for `.git`; a `.git` may also be a file that names a directory.
 */
const names = ['.git', 'git~1', '.hg', '.svn', '.jj', '.sl', '.bzr', '.pijul', '_darcs']

const inAnyCase = names.map((name) => name.replace(/[a-z]/g, (char) => `[${char}${char.toUpperCase()}]`))

export const vcsPatterns = new PatternList(readPatterns([...inAnyCase, 'CVS/'].join('\n')))
