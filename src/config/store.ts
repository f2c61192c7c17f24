import { lstat, readFile, readlink, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isScalar, isSeq, type YAMLSeq } from 'yaml'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { broken, type Config, parseConfig, sizeLimit } from './document.ts'
import { withLock } from './lock.ts'
import { replaceFile } from './replace.ts'
import type { Spec } from './spec.ts'

export type { Config } from './document.ts'

/** Reads the configuration; a missing file is an empty one. Rejects with CONFIG_BROKEN or CONFIG_UNREADABLE. */
export async function loadConfig(path: string): Promise<Config> {
  return parseConfig(await readText(path), path).config
}

/**
 * Adds the spec that `make` returns for the specs that are there; what it throws changes nothing. It is
 * called while no other process can write the file, so that names and overlaps stay true.
 */
export async function addSpec(path: string, make: (specs: readonly Spec[]) => Spec): Promise<Spec> {
  return edit(path, (document, config) => {
    const { specs } = config
    const spec = make(specs)
    if (specs.some(({ name }) => name === spec.name)) {
      throw new KubesyncError('NAME_TAKEN', `there is a spec named ${spec.name} already`, {
        hint: `choose another --name, or delete it first (ksync delete ${spec.name})`,
      })
    }
    const list = specList(document)
    list.add(document.createNode(spec))
    return { result: spec, config: { ...config, specs: [...specs, spec] } }
  })
}

/** Removes specs by name and returns them. An unknown name is NO_SUCH_SPEC, and then none is removed. */
export async function removeSpecs(path: string, names: readonly string[] | 'all'): Promise<readonly Spec[]> {
  return edit(path, (document, config) => {
    const { specs } = config
    const removed = names === 'all' ? specs : names.map((name) => named(specs, name))
    const list = specList(document)
    list.items = list.items.filter((_, index) => !removed.some((spec) => spec === specs[index]))
    return { result: removed, config: { ...config, specs: specs.filter((spec) => !removed.includes(spec)) } }
  })
}

/** Writes down in which namespace a context's agent is; undefined forgets it. */
export async function setAgent(path: string, context: string, namespace: string | undefined): Promise<void> {
  await changeSettings(path, [{ place: ['agents', context], value: namespace }])
}

export interface SettingChange {
  /** Where it is in the file: `['git', 'push']`. */
  readonly place: readonly string[]
  /** What is to be there; undefined for nothing. */
  readonly value: unknown
}

/** Changes what the file says, all of it or nothing, and leaves its comments. What it must not say is CONFIG_BROKEN. */
export async function changeSettings(path: string, changes: readonly SettingChange[]): Promise<void> {
  await edit(path, (document, config) => {
    for (const change of changes) put(document, change)
    if (document.contents === null) return { result: undefined, config }
    const { config: after } = parseConfig(document.toString({ lineWidth: 0 }), path)
    return { result: undefined, config: { ...after, specs: config.specs } }
  })
}

function put(document: Document, { place, value }: SettingChange): void {
  if (value === undefined) {
    if (document.hasIn(place)) document.deleteIn(place)
    return
  }
  begin(document)
  // An empty group is a null, in which nothing can be put.
  for (const [index] of place.slice(1).entries()) {
    const group = place.slice(0, index + 1)
    if (!isMap(document.getIn(group, true))) document.setIn(group, document.createNode({}))
  }
  const before = document.getIn(place, true)
  if (isSeq(before) && Array.isArray(value)) {
    const kept = (item: unknown) => before.items.find((node) => isScalar(node) && node.value === item)
    before.items = value.map((item) => kept(item) ?? document.createNode(item))
  } else document.setIn(place, isScalar(before) || !Array.isArray(value) ? value : document.createNode(value))
}

/** The spec of that name; NO_SUCH_SPEC if there is none. */
export function named(specs: readonly Spec[], name: string): Spec {
  const found = specs.find((spec) => spec.name === name)
  if (found !== undefined) return found
  const names = specs.map((spec) => spec.name).join(', ')
  throw new KubesyncError('NO_SUCH_SPEC', `there is no spec named ${name}`, {
    hint: names === '' ? 'there are none yet; ksync create makes one' : `there are: ${names}`,
  })
}

interface Edited<T> {
  readonly result: T
  /** What the file must mean afterwards. */
  readonly config: Config
}

async function edit<T>(path: string, change: (document: Document, config: Config) => Edited<T>): Promise<T> {
  const target = await linkTarget(path)
  try {
    return await withLock(`${target}.lock`, async () => {
      for (;;) {
        const before = await readText(target)
        const { document, config: old } = parseConfig(before, path)
        const { result, config } = change(document, old)
        if (isDeepStrictEqual(config, old)) return result
        const after = render(document, config, path)
        // Editors do not ask for our lock: what one wrote in the meantime is not to be lost.
        const unchanged = async () => (await readText(target)) === before
        if (await replaceFile(target, after, unchanged)) return result
      }
    })
  } catch (error) {
    if (error instanceof KubesyncError || errnoOf(error) === undefined) throw error
    throw new KubesyncError('CONFIG_UNWRITABLE', `${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** The text of an edited document, checked to mean what the edit meant. */
function render(document: Document, config: Config, path: string): string {
  try {
    const text = document.toString({ lineWidth: 0 })
    if (isDeepStrictEqual(parseConfig(text, path).config, config)) return text
  } catch (error) {
    throw broken(path, `it cannot be edited here: ${messageOf(error)}`)
  }
  throw broken(path, 'it cannot be edited here: parts of it are shared by anchors')
}

/** An empty document gets what every configuration begins with. */
function begin(document: Document): void {
  if (document.contents === null) document.contents = document.createNode({ version: 1 })
}

/** The sequence of specs in the document, made where it is missing. */
function specList(document: Document): YAMLSeq {
  begin(document)
  const found = document.get('specs', true)
  if (isSeq(found)) {
    if (found.items.length === 0) found.flow = false
    return found
  }
  const made = document.createNode([])
  made.flow = false
  document.set('specs', made)
  return made
}

/** The file's text; empty where there is none. */
export async function readConfigText(path: string): Promise<string> {
  return readText(path)
}

/** Puts a whole text in the place of the one that was read; CONFIG_CHANGED if that is not there any more. */
export async function replaceConfigText(
  path: string,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<void> {
  const target = await linkTarget(path)
  await withLock(`${target}.lock`, async () => {
    const isSame = async () => (await readText(target)) === before
    if (await replaceFile(target, after, isSame)) return
    throw new KubesyncError('CONFIG_CHANGED', `${path} was changed meanwhile, and left as it is`)
  })
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > sizeLimit) throw broken(path, `it has ${size} bytes, more than ${sizeLimit}`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    if (error instanceof KubesyncError) throw error
    throw new KubesyncError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** The file that a symlink leads to, so that the link stays a link; it need not exist. */
async function linkTarget(path: string): Promise<string> {
  const here = await realpath(path).catch(() => undefined)
  if (here !== undefined) return here
  const link = await lstat(path).catch(() => undefined)
  return link?.isSymbolicLink() === true ? resolve(dirname(path), await readlink(path)) : path
}
