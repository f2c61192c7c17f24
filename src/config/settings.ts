import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import * as v from 'valibot'
import { parse } from 'yaml'
import { KubesyncError } from '../errors.ts'
import { isKeyName, type Key, type KeyName, keyNames, keyOf, keys, type ValueOf } from './keys.ts'

/** What the configuration file says of keys, as it is written there: what it does not have, is not here. */
export type Settings = Readonly<Partial<Record<KeyName, unknown>>>

/** A configuration with the environment that comes before it. */
export interface SettingSource {
  readonly settings: Settings
  readonly env: NodeJS.ProcessEnv
}

/** What a key is set to: by the environment, else by the file, else by default. CONFIG_VALUE if a variable cannot be meant. */
export function setting<Name extends KeyName>(name: Name, from: SettingSource): ValueOf<Name> {
  return v.parse(keys[name].schema, rawSetting(name, from).value)
}

export interface RawSetting {
  /** As it is written; undefined where there is nothing, not even a default. */
  readonly value: unknown
  readonly source: 'default' | 'file' | 'environment'
}

/** The same as it is written, and where. */
export function rawSetting(name: KeyName, { settings, env }: SettingSource): RawSetting {
  const { env: variable, schema } = keyOf(name)
  const said = variable === undefined ? undefined : env[variable]
  // Paths in KUBECONFIG may be relative, and are no business of ours.
  if (variable === 'KUBECONFIG' && said) return { value: said, source: 'environment' }
  if (variable !== undefined && said)
    return { value: readValue(name, [said], variable), source: 'environment' }
  if (settings[name] !== undefined) return { value: settings[name], source: 'file' }
  return { value: v.getDefault(schema), source: 'default' }
}

/** The environment with the kubeconfig that is configured, for whoever looks there. */
export function kubeEnv({ settings, env }: SettingSource): NodeJS.ProcessEnv {
  const { kubeconfig } = settings
  if (env.KUBECONFIG || typeof kubeconfig !== 'string') return env
  const files = kubeconfig.split(delimiter).map((file) => atHome(file, env))
  return { ...env, KUBECONFIG: files.join(delimiter) }
}

/** A path of which `~` is the home. */
export function atHome(path: string, env: NodeJS.ProcessEnv): string {
  return /^~(?=\/|$)/.test(path) ? join(env.HOME || homedir(), path.slice(1)) : path
}

/** A key as a person names it, and its place in the file: `agents.CONTEXT` is in a map. NO_SUCH_KEY if there is none. */
export function findKey(given: string): { readonly name: KeyName; readonly place: readonly string[] } {
  if (isKeyName(given)) return { name: given, place: placeOf(given) }
  const name = keyNames.find((one) => keyOf(one).each !== undefined && given.startsWith(`${one}.`))
  const inside = name === undefined ? '' : given.slice(name.length + 1)
  if (name !== undefined && inside !== '') return { name, place: [...placeOf(name), inside] }
  const near = keyNames.filter((one) => one.toLowerCase().includes(given.toLowerCase()))
  throw new KubesyncError('NO_SUCH_KEY', `there is no key \`${given}\``, {
    hint: `there are: ${(near.length > 0 ? near : keyNames).join(', ')}`,
  })
}

/** Where a key is in the configuration file. */
export function placeOf(name: KeyName): string[] {
  return name.split('.')
}

/**
 * Reads what was typed for a key: text as it is, or what it means in YAML (`true`, `[a, b]`), or a list of words. CONFIG_VALUE if
 * none of them can be meant; it names `where`.
 */
export function readValue(name: KeyName, words: readonly string[], where: string = name): unknown {
  const key = keyOf(name)
  const [first = '', ...more] = words
  const listed = more.length > 0 ? words : first.split(/[,\s]+/).filter((word) => word !== '')
  const readings = more.length > 0 ? [listed] : [first, inYaml(first), listed]
  const found = readings.find((value) => value !== undefined && v.is(key.schema, value))
  if (found !== undefined) return found
  throw badValue(key, where, words.join(' '))
}

/** Reads what was typed for an entry of a map. */
export function readEntry(name: KeyName, place: readonly string[], word: string): string {
  const entry = place.at(-1) ?? ''
  if (v.is(keyOf(name).schema, { [entry]: word })) return word
  throw badValue(keyOf(name), place.join('.'), word)
}

function badValue({ allowed, isSecret }: Key, where: string, said: string): KubesyncError {
  const what = isSecret === true ? where : `${where} cannot be \`${said}\`: it`
  return new KubesyncError('CONFIG_VALUE', `${what} must be ${allowed}`)
}

function inYaml(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
