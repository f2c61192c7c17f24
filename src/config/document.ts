import * as v from 'valibot'
import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml'
import { KubesyncError, messageOf } from '../errors.ts'
import { keyAt, keyNames, keyOf } from './keys.ts'
import { placeOf, type Settings, setting } from './settings.ts'
import { type Spec, specSchema } from './spec.ts'
import type { TrashLimits } from './trash.ts'

/** What the configuration file says. */
export interface Config {
  readonly version: 1
  readonly specs: readonly Spec[]
  /** The namespace of the agent to use, by kubeconfig context; `init` writes it down. */
  readonly agents: Readonly<Record<string, string>>
  readonly trash: TrashLimits
  /** All else that is set; `setting` reads it. */
  readonly settings: Settings
}

const configSchema = v.strictObject({
  version: v.optional(v.literal(1, 'this kubesync knows version 1'), 1),
  specs: v.nullish(v.array(specSchema), []),
  ...settingSchemas(),
})

/** What the file may hold by the table of keys: `git.push` is `push` in `git`. */
function settingSchemas(): v.ObjectEntries {
  const groups = new Map<string, v.ObjectEntries>()
  const entries: v.ObjectEntries = {}
  for (const name of keyNames) {
    const [first = '', second] = placeOf(name)
    const schema = v.nullish(keyOf(name).schema)
    if (second === undefined) entries[first] = schema
    else groups.set(first, { ...groups.get(first), [second]: schema })
  }
  for (const [name, group] of groups) entries[name] = v.nullish(v.strictObject(group))
  return entries
}

/** Files are written by people: more than this is not one, in bytes. */
export const sizeLimit = 1024 * 1024
/** Aliases that may be resolved, against documents that unfold without end. */
const aliasLimit = 100

/** The configuration file's text, its parse, and what it means. */
export interface ConfigDocument {
  readonly document: Document
  readonly config: Config
}

/** Parses a configuration; a broken one is CONFIG_BROKEN with path, line and column. Pure. */
export function parseConfig(text: string, path: string): ConfigDocument {
  const lines = new LineCounter()
  const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const where = (offset: number | undefined): string => {
    if (offset === undefined) return path
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const error = document.errors[0]
  if (error !== undefined) throw broken(where(error.pos[0]), error.message)
  if (document.contents !== null && !isMap(document.contents)) {
    throw broken(where(startOf(document, [])), 'a mapping is expected')
  }
  const said = unfolded(document, path) ?? {}
  const result = v.safeParse(configSchema, said)
  if (!result.success) {
    const issue = result.issues[0]
    throw broken(where(offsetOf(document, issue)), describe(issue))
  }
  const { specs } = result.output
  const twice = specs.findIndex(({ name }, index) => specs.findIndex((spec) => spec.name === name) < index)
  if (twice >= 0) {
    throw broken(where(startOf(document, ['specs', twice])), `the name ${specs[twice]?.name} is taken twice`)
  }
  return { document, config: { version: 1, specs, ...meaningOf(settingsIn(said)) } }
}

/** The keys that a document sets, as they are written there. */
function settingsIn(said: unknown): Settings {
  const stepInto = (value: unknown, step: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, step)
      ? (value as Readonly<Record<string, unknown>>)[step]
      : undefined
  const found = keyNames.map((name) => [name, placeOf(name).reduce(stepInto, said) ?? undefined])
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** Settings, and what of them is asked for so often that it has a place of its own. */
function meaningOf(settings: Settings): Omit<Config, 'version' | 'specs'> {
  const from = { settings, env: {} }
  const trash = { maxAge: setting('trash.maxAge', from), maxSize: setting('trash.maxSize', from) }
  return { settings, agents: setting('agents', from), trash }
}

function unfolded(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasLimit })
  } catch (error) {
    throw broken(path, messageOf(error))
  }
}

export function broken(where: string, reason: string): KubesyncError {
  return new KubesyncError('CONFIG_BROKEN', `the configuration is broken: ${where}: ${reason}`, {
    hint: 'mend that line; the file was left as it is',
  })
}

type Issue = v.BaseIssue<unknown>

function describe(issue: Issue): string {
  const steps = (issue.path ?? []).map(({ key }) => key)
  const last = steps.at(-1)
  const place = steps.length === 0 ? '' : `${steps.join('.')}: `
  const key = issue.expected === 'never' ? undefined : keyAt(steps)
  if (key !== undefined) return `${key.name}: must be ${key.key.allowed}`
  if (issue.type !== 'strict_object') return `${place}${issue.message}`
  // A missing key, an unknown key and something that is no mapping at all are one kind of issue.
  if (issue.expected === 'Object') return `${place}a mapping is expected`
  return issue.expected === 'never' ? `unknown key ${String(last)}` : `${String(last)} is missing`
}

/** Where in the text an issue is, or the nearest thing around it that is there. */
function offsetOf(document: Document, issue: Issue): number | undefined {
  const steps = (issue.path ?? []).map(({ key }) => key)
  for (let depth = steps.length; depth >= 0; depth -= 1) {
    const offset = startOf(document, steps.slice(0, depth))
    if (offset !== undefined) return offset
  }
  return undefined
}

/** The offset of a key in a mapping, of an item in a sequence, or of the whole document. */
function startOf(document: Document, steps: readonly unknown[]): number | undefined {
  const holder = steps.length === 0 ? document.contents : document.getIn(steps.slice(0, -1), true)
  const last = steps.at(-1)
  if (steps.length > 0 && isMap(holder)) {
    const key = holder.items.find(({ key }) => isNode(key) && String(key) === last)?.key
    return isNode(key) ? key.range?.[0] : undefined
  }
  const node = steps.length > 0 && isSeq(holder) ? holder.items[Number(last)] : holder
  return isNode(node) ? node.range?.[0] : undefined
}
