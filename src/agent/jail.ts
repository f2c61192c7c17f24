import { closeSync, constants, mkdirSync, openSync, readlinkSync } from 'node:fs'
import { errnoOf, KubesyncError } from '../errors.ts'

/** Linux's O_PATH, which Node does not name: a descriptor to go on from, not to read; needs no `r` on the directory. */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW } = constants
const maxLinks = 40

/** Steps into a container's filesystem by descriptors and names only, and never leaves its root. */
interface Walk {
  /** Descriptors from the container's root down to where the walk stands. */
  readonly stack: number[]
  /** Names still to walk, the next one last. */
  readonly todo: string[]
  links: number
}

/**
 * Opens the directory that `path` names inside a container, as the container itself would: link by link, where an
 * absolute link starts again at the container's root and `..` ends there. The kernel follows no link for
 * us (every open has O_NOFOLLOW, and a name is one component), so whatever the container does with its
 * links meanwhile, the descriptor that comes out is below its root.
 *
 * @param root a descriptor of the container's root; it stays open
 * @param options.create makes directories that are missing, with the rights of this process
 * @returns a descriptor of the directory, the caller's to close; undefined if it does not exist
 * @throws KubesyncError when something on the way is no directory or may not be passed
 */
export function openInside(root: number, path: string, options: { create: boolean }): number | undefined {
  const walk: Walk = { stack: [root], todo: components(path).reverse(), links: 0 }
  try {
    for (let name = walk.todo.pop(); name !== undefined; name = walk.todo.pop()) {
      if (!step(walk, name, { path, create: options.create })) return undefined
    }
    return openSync(`/proc/self/fd/${top(walk)}/.`, constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (error) {
    throw refusal(error, path)
  } finally {
    for (const fd of walk.stack.slice(1)) closeSync(fd)
  }
}

function step(walk: Walk, name: string, options: { path: string; create: boolean }): boolean {
  if (name === '..') {
    const fd = walk.stack.length > 1 ? walk.stack.pop() : undefined
    if (fd !== undefined) closeSync(fd)
    return true
  }
  const at = `/proc/self/fd/${top(walk)}/${name}`
  try {
    walk.stack.push(openSync(at, O_PATH | O_DIRECTORY | O_NOFOLLOW))
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' && !options.create) return false
    if (code === 'ENOENT') return make(walk, name)
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error
  }
  follow(walk, readlinkSync(at), options.path)
  return true
}

function make(walk: Walk, name: string): boolean {
  try {
    mkdirSync(`/proc/self/fd/${top(walk)}/${name}`)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  walk.todo.push(name)
  walk.links += 1
  if (walk.links > maxLinks) throw new KubesyncError('REMOTE_UNSTABLE', `${name} comes and goes`)
  return true
}

function follow(walk: Walk, target: string, path: string): void {
  walk.links += 1
  if (walk.links > maxLinks) {
    throw new KubesyncError('REMOTE_LINK_LOOP', `too many symbolic links on the way to ${path}`)
  }
  if (target.startsWith('/')) {
    for (const fd of walk.stack.splice(1)) closeSync(fd)
  }
  walk.todo.push(...components(target).reverse())
}

function top(walk: Walk): number {
  const fd = walk.stack.at(-1)
  if (fd === undefined) throw new Error('a walk always stands somewhere')
  return fd
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function refusal(error: unknown, path: string): unknown {
  const who = `uid ${process.getuid?.() ?? '?'}`
  switch (errnoOf(error)) {
    case 'EINVAL':
    case 'ENOTDIR':
      return new KubesyncError('REMOTE_NOT_A_DIRECTORY', `${path} is not a directory in the container`, {
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
      return new KubesyncError(
        'REMOTE_FORBIDDEN',
        `${who} may not create or enter ${path} in the container`,
        {
          hint: "choose a folder that the container's user owns, or mount a volume it may write",
          cause: error,
        },
      )
    case 'EROFS':
      return new KubesyncError(
        'REMOTE_READ_ONLY',
        `the filesystem that ${path} would be created on is read-only`,
        {
          hint: 'mount an emptyDir or another writable volume there',
          cause: error,
        },
      )
    case 'ENOENT':
      return new KubesyncError('REMOTE_FORBIDDEN', `${path} cannot be created in the container`, {
        hint: 'nothing can be created there; choose another folder',
        cause: error,
      })
    default:
      return error
  }
}
