import type { Path } from './tree.ts'

/** UTF-16 units. No system we know allows more than 255 bytes or units. */
const MAX_NAME = 1024
/** UTF-16 units. Trees may be deeper than PATH_MAX, since they are walked by name, but must end somewhere. */
export const MAX_PATH = 32_768
/** Trees are walked recursively. */
const MAX_DEPTH = 512

const SLASH = 47

/** The directory that holds a path; the root's parent is the root. */
export function parentOf(path: Path): Path {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function joinPath(directory: Path, name: string): Path {
  return directory === '' ? name : `${directory}/${name}`
}

/** The last name of a path. */
export function nameOf(path: Path): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The names a path consists of; none for the root. */
export function namesOf(path: Path): string[] {
  return path === '' ? [] : path.split('/')
}

/**
 * Why this cannot be a path in a tree, or undefined if it can. Paths come from a peer that is not trusted:
 * one that passes leads, name by name, to something below the root and nowhere else.
 */
export function badPath(path: Path): string | undefined {
  if (path === '') return undefined
  if (path.length > MAX_PATH) return 'a path is too long'
  let start = 0
  let depth = 0
  for (let end = 0; end <= path.length; end++) {
    const code = end === path.length ? SLASH : path.charCodeAt(end)
    if (code === 0) return 'a path has a NUL'
    if (code !== SLASH) continue
    if (end === start) return 'a path has an empty name'
    if (end - start <= 2 && isDots(path, start, end)) return 'a path has "." or ".."'
    if (end - start > MAX_NAME) return 'a path has a name that is too long'
    if (++depth > MAX_DEPTH) return 'a path is too deep'
    start = end + 1
  }
  return undefined
}

/** The same for a single name. */
export function badName(name: string): string | undefined {
  if (name === '') return 'a path has an empty name'
  return name.includes('/') ? 'a name has a slash' : badPath(name)
}

function isDots(path: Path, start: number, end: number): boolean {
  const name = path.slice(start, end)
  return name === '.' || name === '..'
}
