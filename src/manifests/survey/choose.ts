import { stat } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { ResourceType } from '../../kube/resource-type.ts'
import type { LocalObject } from '../local.ts'
import { groupOf, type Identity } from '../order/references.ts'
import type { Folder } from './folder.ts'

/** What a word on the command line means: a path below or beside the root, or what an object is called. */
export type Word = { readonly path: string } | { readonly name: string }

const extensions = ['.yaml', '.yml', '.json']

/**
 * Which words are files or folders: as they stand, or with an extension that they lack. Two files that fit are AMBIGUOUS_FILE.
 *
 * @param base absolute path of the folder that words are relative to.
 */
export async function readWords(words: readonly string[], base: string, root: string): Promise<Word[]> {
  return Promise.all(
    words.map(async (word) => {
      const found = await existing([word], base)
      const guessed =
        found.length > 0
          ? found
          : await existing(
              extensions.map((end) => word + end),
              base,
            )
      const [path, ...others] = guessed
      if (others.length > 0) {
        throw new KubesyncError('AMBIGUOUS_FILE', `\`${word}\` may be ${guessed.join(' or ')}`, {
          hint: 'name it with its extension',
        })
      }
      return path === undefined ? { name: word } : { path: relative(root, resolve(base, path)) || '.' }
    }),
  )
}

async function existing(paths: readonly string[], base: string): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => stat(resolve(base, path)).catch(() => undefined)))
  return paths.filter((_, index) => found[index] !== undefined)
}

/**
 * The objects that words mean: those in a file or below a folder, those of a type (`deploy`), some of a type (`deploy web`,
 * `deploy/web`), and those of a name. A word that means nothing is NOT_FOUND.
 */
export function chooseObjects(
  client: KubeClient,
  { objects }: Folder,
  words: readonly Word[],
): Promise<readonly LocalObject[]> {
  const fileOf = ({ manifest }: LocalObject) => manifest.file
  return chooseAmong({ objects, fileOf, typeCalled: (name) => typeCalled(client, name) }, words)
}

interface Named {
  readonly identity: Identity
}

/** What a word may call. */
export type Type = Pick<ResourceType, 'apiVersion' | 'kind'>

/** Objects of which words choose some. */
interface Among<T> {
  readonly objects: readonly T[]
  /** The file that an object is in, if it is in one. */
  readonly fileOf: (object: T) => string | undefined
  readonly typeCalled: (name: string) => Promise<Type | undefined>
}

/** As `chooseObjects`, of objects that need not be in files. */
export async function chooseAmong<T extends Named>(
  { objects, fileOf, typeCalled }: Among<T>,
  words: readonly Word[],
): Promise<readonly T[]> {
  if (words.length === 0) return objects
  const chosen = new Set<T>()
  let type: { readonly of: readonly T[]; isNarrowed: boolean } | undefined
  const take = (some: readonly T[]) => {
    for (const one of some) chosen.add(one)
  }
  const closeType = () => {
    if (type?.isNarrowed === false) take(type.of)
    type = undefined
  }
  for (const word of words) {
    if ('path' in word) {
      closeType()
      take(objects.filter((one) => isBelow(fileOf(one), word.path)))
      continue
    }
    const [typeName = '', name] = word.name.split('/')
    const resourceType = await typeCalled(typeName)
    const pool = resourceType === undefined ? (type?.of ?? objects) : ofType(objects, resourceType)
    if (resourceType !== undefined && name === undefined) {
      closeType()
      if (pool.length === 0) throw notFound(word.name)
      type = { of: pool, isNarrowed: false }
      continue
    }
    if (resourceType === undefined && name !== undefined) throw notFound(word.name)
    const found = pool.filter(({ identity }) => identity.name === (name ?? word.name))
    if (found.length === 0) throw notFound(word.name)
    if (type !== undefined && resourceType === undefined) type.isNarrowed = true
    take(found)
  }
  closeType()
  return [...chosen]
}

function isBelow(file: string | undefined, path: string): boolean {
  if (file === undefined) return false
  return path === '.' || file === path || file.startsWith(`${path}/`)
}

function ofType<T extends Named>(objects: readonly T[], { apiVersion, kind }: Type): T[] {
  return objects.filter(({ identity }) => identity.kind === kind && identity.group === groupOf(apiVersion))
}

/** What a word on the command line calls a type; undefined if the server knows none of that name. */
export async function typeCalled(client: KubeClient, name: string): Promise<ResourceType | undefined> {
  try {
    return await client.discovery.resolve(name)
  } catch (error) {
    if (error instanceof KubesyncError && error.code === 'NO_SUCH_KIND') return undefined
    throw error
  }
}

function notFound(word: string): KubesyncError {
  return new KubesyncError('NOT_FOUND', `there is nothing called \`${word}\` here`, {
    hint: 'name a file, a folder, a type such as deployments, or an object in one of the files below this folder',
  })
}
