import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import * as v from 'valibot'
import { parseDocument } from 'yaml'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'

const text = v.nullish(v.string())
const list = <T extends v.GenericSchema>(item: T) => v.nullish(v.array(item), [])
const nonEmpty = v.pipe(v.string(), v.minLength(1, 'must not be empty'))

const clusterSchema = v.looseObject({
  server: nonEmpty,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': v.nullish(v.boolean()),
  'tls-server-name': text,
  'proxy-url': text,
})

const execSchema = v.looseObject({
  apiVersion: nonEmpty,
  command: nonEmpty,
  args: list(v.string()),
  env: list(v.looseObject({ name: nonEmpty, value: v.string() })),
  installHint: text,
  provideClusterInfo: v.nullish(v.boolean()),
  interactiveMode: text,
})

const userSchema = v.looseObject({
  token: text,
  tokenFile: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': list(v.string()),
  'as-user-extra': v.nullish(v.record(v.string(), v.array(v.string()))),
  exec: v.nullish(execSchema),
  'auth-provider': v.nullish(v.looseObject({ name: nonEmpty, config: v.nullish(v.looseObject({})) })),
})

const contextSchema = v.looseObject({ cluster: nonEmpty, user: text, namespace: text })

const fileSchema = v.looseObject({
  'current-context': text,
  clusters: list(v.looseObject({ name: nonEmpty, cluster: v.unknown() })),
  contexts: list(v.looseObject({ name: nonEmpty, context: v.unknown() })),
  users: list(v.looseObject({ name: nonEmpty, user: v.unknown() })),
})

export type ClusterEntry = v.InferOutput<typeof clusterSchema>
export type UserEntry = v.InferOutput<typeof userSchema>
export type ContextEntry = v.InferOutput<typeof contextSchema>
export type ExecEntry = v.InferOutput<typeof execSchema>

/** An entry as its file has it: looked at when it is used, so that a broken one spoils no other. */
interface RawEntry {
  readonly file: string
  readonly value: unknown
}

type Entries = ReadonlyMap<string, RawEntry>

/** What several kubeconfig files say together, entries by name. */
export interface Kubeconfig {
  readonly currentContext: string | undefined
  readonly clusters: Entries
  readonly contexts: Entries
  readonly users: Entries
}

/** Reads one file; undefined when it does not exist. */
export async function readKubeconfig(path: string): Promise<Kubeconfig | undefined> {
  const content = await readIfPresent(path)
  if (content === undefined) return undefined
  const file = parse(path, content)
  const entry = (value: unknown): RawEntry => ({ file: resolve(path), value })
  return {
    currentContext: file['current-context'] || undefined,
    clusters: firstByName(file.clusters.map(({ name, cluster }) => [name, entry(cluster)])),
    contexts: firstByName(file.contexts.map(({ name, context }) => [name, entry(context)])),
    users: firstByName(file.users.map(({ name, user }) => [name, entry(user ?? {})])),
  }
}

/**
 * Merges as kubectl does: an entry, and the current context, is what the first file that has it says,
 * whole.
 */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    currentContext: configs.find((config) => config.currentContext !== undefined)?.currentContext,
    clusters: firstByName(configs.flatMap((config) => [...config.clusters])),
    contexts: firstByName(configs.flatMap((config) => [...config.contexts])),
    users: firstByName(configs.flatMap((config) => [...config.users])),
  }
}

/** The context of that name; undefined if there is none. */
export function contextEntry(config: Kubeconfig, name: string): ContextEntry | undefined {
  const raw = config.contexts.get(name)
  return raw && checked(contextSchema, raw, `context "${name}"`)
}

/** The cluster of that name, paths absolute; undefined if there is none. */
export function clusterEntry(config: Kubeconfig, name: string): ClusterEntry | undefined {
  const raw = config.clusters.get(name)
  if (raw === undefined) return undefined
  const cluster = checked(clusterSchema, raw, `cluster "${name}"`)
  return {
    ...cluster,
    'certificate-authority': absolute(dirname(raw.file), cluster['certificate-authority']),
  }
}

/** The user of that name, paths absolute; undefined if there is none. */
export function userEntry(config: Kubeconfig, name: string): UserEntry | undefined {
  const raw = config.users.get(name)
  if (raw === undefined) return undefined
  const user = checked(userSchema, raw, `user "${name}"`)
  const base = dirname(raw.file)
  return {
    ...user,
    tokenFile: absolute(base, user.tokenFile),
    'client-certificate': absolute(base, user['client-certificate']),
    'client-key': absolute(base, user['client-key']),
    // As client-go: a bare name is looked up on PATH, anything with a slash is a path.
    exec: user.exec && {
      ...user.exec,
      command: /[/\\]/.test(user.exec.command) ? resolve(base, user.exec.command) : user.exec.command,
    },
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw invalid(path, messageOf(error))
  }
}

function parse(path: string, content: string): v.InferOutput<typeof fileSchema> {
  const document = parseDocument(content)
  const error = document.errors[0]
  if (error !== undefined) throw invalid(path, error.message.split('\n', 1)[0] ?? error.message)
  const result = v.safeParse(fileSchema, document.toJS() ?? {})
  if (result.success) return result.output
  throw invalid(path, describeIssue(result.issues[0]))
}

function checked<T extends v.GenericSchema>(schema: T, raw: RawEntry, what: string): v.InferOutput<T> {
  const result = v.safeParse(schema, raw.value)
  if (result.success) return result.output
  throw invalid(raw.file, `${what}: ${describeIssue(result.issues[0])}`)
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue)
  return path === null ? issue.message : `${path}: ${issue.message}`
}

function invalid(path: string, what: string): KubesyncError {
  return new KubesyncError('KUBECONFIG_INVALID', `The kubeconfig ${path} cannot be used: ${what}`, {
    hint: 'Correct it, or name another one with --kubeconfig.',
  })
}

function firstByName<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map([...entries].reverse())
}

function absolute(base: string, path: string | null | undefined): string | undefined {
  if (path === null || path === undefined || path === '') return undefined
  return isAbsolute(path) ? path : resolve(base, path)
}
