import { type Key, type KeyName, keyNames, keyOf } from '../../config/keys.ts'
import { findKey, rawSetting, readEntry, readValue, type SettingSource } from '../../config/settings.ts'
import { changeSettings, type SettingChange } from '../../config/store.ts'
import { formatTable } from '../../ui/table.ts'
import { printable } from '../../ui/text.ts'
import type { ConfigureOptions } from '../configure.ts'
import type { Cli } from '../io.ts'
import { printData } from '../output.ts'
import { pathsOf } from '../paths.ts'
import { describeHint } from '../report.ts'
import { usageError } from '../values.ts'
import { settingsOf } from '../where.ts'

/** A key as lists show it. */
interface Row {
  readonly key: string
  readonly value: unknown
  readonly source: 'default' | 'file' | 'environment' | 'flag'
  readonly doc: string
  readonly environment: string | undefined
}

export async function listKeys(cli: Cli, options: ConfigureOptions): Promise<void> {
  const source = await settingsOf(cli, options)
  const rows = keyNames.map((name): Row => {
    const { doc, env, flag, isSecret } = keyOf(name)
    const flagged = flag === undefined ? undefined : options[flag]
    const { value, source: from } = rawSetting(name, source)
    const shown = isSecret === true && value !== undefined ? '(set)' : value
    const said =
      flagged === undefined ? { value: shown, source: from } : { value: flagged, source: 'flag' as const }
    return { key: name, ...said, doc, environment: env }
  })
  cli.io.stderr.write(`the configuration is ${printable(pathsOf(cli, options).config)}\n`)
  const isWide = options.output === 'wide'
  await printData(cli, { format: options.output, data: rows, names: keyNames }, () =>
    formatTable(
      ['key', 'value', 'source', ...(isWide ? ['environment', 'what it is'] : [])],
      rows.map(({ key, value, source, doc, environment = '' }) => [
        ...[key, wordsOf(value), source],
        ...(isWide ? [environment, doc] : []),
      ]),
    ),
  )
}

/** A value on one line. */
export function wordsOf(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map(wordOf).join(' ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name}=${one}`)
    .join(' ')
}

/** An item of a list: a word, or an object in JSON. */
function wordOf(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item)
}

/** Prints what is in force, a line for each item; the exit code is 1 if nothing is. */
export async function getKey(cli: Cli, given: string, options: ConfigureOptions): Promise<void> {
  const { name, entry } = named(given)
  const { value } = rawSetting(name, await settingsOf(cli, options))
  const found = entry === undefined ? value : entriesOf(value).find(([one]) => one === entry)?.[1]
  if (found === undefined) cli.exitCode = 1
  const items = Array.isArray(found)
    ? found.map(wordOf)
    : entriesOf(found).map(([one, text]) => `${one}=${text}`)
  const lines = typeof found === 'object' ? items : found === undefined ? [] : [String(found)]
  await printData(cli, { format: options.output, data: found ?? null, names: lines }, () =>
    lines.map((line) => `${line}\n`).join(''),
  )
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

/** A key as it was named, and the entry that was, where it is a map. */
function named(given: string): {
  readonly name: KeyName
  readonly key: Key
  readonly entry: string | undefined
} {
  const { name, place } = findKey(given)
  const key = keyOf(name)
  return { name, key, entry: key.each !== undefined && given !== name ? place.at(-1) : undefined }
}

interface Said {
  readonly given: string
  /** Undefined takes it away. */
  readonly words: readonly string[] | undefined
}

export async function setKey(cli: Cli, said: Said, options: ConfigureOptions): Promise<void> {
  const { name, key } = named(said.given)
  await changeSettings(pathsOf(cli, options).config, [changeOf(said)])
  sayIfHidden(cli, name, await settingsOf(cli, options))
  if (key.isSecret === true && said.words !== undefined) {
    const hint = `it is readable in that file; $${key.env} keeps it out of there`
    cli.io.stderr.write(describeHint(hint, cli.io.stderr))
  }
}

/** What is to be changed in the file for what somebody said. */
export function changeOf({ given, words }: Said): SettingChange {
  const { name, place } = findKey(given)
  const { key, entry } = named(given)
  if (words === undefined) return { place, value: undefined }
  if (entry !== undefined) return { place, value: readEntry(name, place, words.join(' ')) }
  if (key.each !== undefined) throw usageError(`${name} is a map: set ${name}.${key.each}`)
  return { place, value: readValue(name, words) }
}

function sayIfHidden({ io: { stderr } }: Cli, name: KeyName, source: SettingSource): void {
  if (rawSetting(name, source).source !== 'environment') return
  stderr.write(describeHint(`$${keyOf(name).env} is set, and comes before the file`, stderr))
}
