import * as v from 'valibot'
import { isAmount } from './trash.ts'

/** One thing that can be configured. Its schema has its default, if there is one. */
export interface Key {
  /** A sentence, for lists and the README. */
  readonly doc: string
  readonly schema: v.GenericSchema
  /** What a value has to be, in words that follow "must be". */
  readonly allowed: string
  /** The environment variable that comes before the file. */
  readonly env?: string
  /** The flag of commands that comes before both, as commander names it. */
  readonly flag?: 'context' | 'kubeconfig'
  /** A map by names of this kind: its values are `key.NAME`. */
  readonly each?: string
  /** Never shown. */
  readonly isSecret?: true
  /** `configure` asks for it. */
  readonly isAsked?: true
}

const text = v.pipe(v.string(), v.minLength(1))
const matching = (pattern: RegExp) => v.pipe(v.string(), v.regex(pattern))
const byContext = v.optional(
  v.pipe(
    v.unknown(),
    v.check((map) => !Array.isArray(map)),
    v.record(text, text),
  ),
  {},
)
const flag = (value: boolean) => v.optional(v.boolean(), value)
const path = matching(/^(?:\/|~\/|~$|[A-Za-z]:[\\/])/)
const onOrOff = 'true or false'

/** All that can be configured, in the order in which it is listed. A new key is one more entry, and a row of the README. */
export const keys = {
  context: {
    doc: 'The context that is meant where neither a flag nor the folder names one; `env` picks it',
    schema: v.optional(text),
    allowed: 'the name of a context',
    env: 'KUBESYNC_CONTEXT',
    flag: 'context',
  },
  namespaces: {
    doc: "The namespace that is meant in a context, instead of the kubeconfig's; `env` picks it",
    schema: byContext,
    allowed: 'the name of a namespace',
    each: 'CONTEXT',
  },
  kubeconfig: {
    doc: 'The kubeconfig, or several with colons between them; without it `~/.kube/config`',
    schema: v.optional(path),
    allowed: 'an absolute path, or one that begins with ~/',
    env: 'KUBECONFIG',
    flag: 'kubeconfig',
    isAsked: true,
  },
  root: {
    doc: 'The folder of manifests that commands mean wherever no folder is pinned',
    schema: v.optional(path),
    allowed: 'an absolute path, or one that begins with ~/',
    env: 'KUBESYNC_ROOT',
    isAsked: true,
  },
  layout: {
    doc: 'Where new manifests go, unless the folder says; without it as the others lie there',
    schema: v.optional(matching(/^(?!\/).*\{name\}.*\.(?:ya?ml|json)$/)),
    allowed: 'like {namespace}/{kind}/{name}.yaml',
    env: 'KUBESYNC_LAYOUT',
    isAsked: true,
  },
  protectedContexts: {
    doc: 'Contexts that are written to only by whoever types their names; `*` stands for anything',
    schema: v.optional(v.array(text), []),
    allowed: 'names or patterns of contexts, such as prod-*',
    isAsked: true,
  },
  'defaults.mode': {
    doc: 'The `--mode` of `create` and `run` where none is given',
    schema: v.optional(
      v.picklist([
        ...(['two-way-safe', 'two-way-local-wins', 'two-way-remote-wins', 'two-way-newest-wins'] as const),
        ...(['to-remote-safe', 'to-local-safe'] as const),
      ]),
      'two-way-safe',
    ),
    allowed:
      'two-way-safe, two-way-local-wins, two-way-remote-wins, two-way-newest-wins, to-remote-safe or to-local-safe',
    env: 'KUBESYNC_MODE',
    isAsked: true,
  },
  'defaults.agent': {
    doc: 'The `--agent` of `create`, `run` and `files` where none is given',
    schema: v.optional(v.picklist(['daemonset', 'ephemeral']), 'daemonset'),
    allowed: 'daemonset or ephemeral',
    env: 'KUBESYNC_AGENT',
    isAsked: true,
  },
  agents: {
    doc: 'The namespace of the agent in a context; `init` writes it. Without it: kubesync',
    schema: byContext,
    allowed: 'the name of a namespace',
    each: 'CONTEXT',
  },
  'trash.maxAge': {
    doc: 'How long what a sync replaced or deleted here is kept',
    schema: v.optional(isAmount('age'), '14d'),
    allowed: 'something like 14d, 12h or 2w, or 0 to keep nothing',
  },
  'trash.maxSize': {
    doc: 'How much of it is kept in all',
    schema: v.optional(isAmount('size'), '1GiB'),
    allowed: 'something like 1GiB or 500MiB, or 0 to keep nothing',
  },
  sanitize: {
    doc: 'What else is left out of manifests: rules with kind, path and reason',
    schema: v.optional(v.array(v.looseObject({ kind: text, path: text, reason: text })), []),
    allowed: 'a list of rules, each with kind, path and reason',
  },
  'journal.secrets': {
    doc: 'What the history has of values of Secrets: encrypted ones, or none',
    schema: v.optional(v.picklist(['encrypt', 'leave-out']), 'encrypt'),
    allowed: 'encrypt or leave-out',
  },
  'git.commit': {
    doc: 'Whether what is written is committed, as with `--git`',
    schema: flag(false),
    allowed: onOrOff,
    env: 'KUBESYNC_GIT_COMMIT',
    isAsked: true,
  },
  'git.push': {
    doc: 'Whether commits that kubesync makes are pushed',
    schema: flag(false),
    allowed: onOrOff,
    env: 'KUBESYNC_GIT_PUSH',
    isAsked: true,
  },
  'git.fetch': {
    doc: 'Whether the remote is asked, before a write, if it has something new',
    schema: flag(true),
    allowed: onOrOff,
    env: 'KUBESYNC_GIT_FETCH',
  },
  'github.url': {
    doc: 'The API of GitHub, or of a GitHub Enterprise server',
    schema: v.optional(
      matching(/^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])[:/]/),
      'https://api.github.com',
    ),
    allowed: 'a URL that begins with https://',
    env: 'GITHUB_API_URL',
  },
  'github.token': {
    doc: 'What opens pull requests; better in the environment than in the file',
    schema: v.optional(matching(/^[\x21-\x7e]+$/)),
    allowed: 'a token',
    env: 'GITHUB_TOKEN',
    isSecret: true,
  },
} as const satisfies Readonly<Record<string, Key>>

export type KeyName = keyof typeof keys

/** What a key means where it is used. */
export type ValueOf<Name extends KeyName> = v.InferOutput<(typeof keys)[Name]['schema']>

export const keyNames: readonly KeyName[] = Object.keys(keys).filter((name) => isKeyName(name))

export function isKeyName(name: string): name is KeyName {
  return Object.hasOwn(keys, name)
}

/** The same key, with what not all have. */
export function keyOf(name: KeyName): Key {
  return keys[name]
}

/** The key that a path of the configuration file lies in, and that path as `configure` names it. */
export function keyAt(steps: readonly unknown[]): { readonly key: Key; readonly name: string } | undefined {
  for (const depth of [1, 2]) {
    const name = steps.slice(0, depth).join('.')
    if (!isKeyName(name)) continue
    const inside = keyOf(name).each === undefined ? [] : steps.slice(depth, depth + 1)
    return { key: keyOf(name), name: [name, ...inside].join('.') }
  }
  return undefined
}
