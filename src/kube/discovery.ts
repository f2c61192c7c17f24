import { KubesyncError } from '../errors.ts'
import { fetchAll, fetchVersion, type Get } from './discovery-fetch.ts'
import { ApiError } from './errors.ts'
import type { ResourceType, ServerTypes, ServerVersion } from './resource-type.ts'
import { parseServerVersion } from './resource-type.ts'

/** What a server can do; asked when it is needed, then remembered. */
export interface Discovery {
  /**
   * The type of that kind, by asking for its group and version alone.
   * @throws KubesyncError `NO_SUCH_KIND`
   */
  kind(apiVersion: string, kind: string): Promise<ResourceType>
  /**
   * The type that a person means by `deploy`, `deployments`, `Deployment`, `deployments.apps` or
   * `deployments.v1.apps`, as kubectl understands it.
   * @throws KubesyncError `NO_SUCH_KIND`
   */
  resolve(name: string): Promise<ResourceType>
  /** All types, of all versions, the preferred ones first; and the groups that did not answer. */
  all(): Promise<ServerTypes>
  version(): Promise<ServerVersion>
}

/** Discovery through `get`, which asks the server for a path. */
export function discovery(get: Get): Discovery {
  const versions = new Memory((apiVersion: string) => fetchVersion(get, apiVersion))
  const everything = new Memory(() => fetchAll(get))
  const server = new Memory(async () => parseServerVersion(await get('/version')))

  return {
    all: () => everything.get(''),
    version: () => server.get(''),
    kind: (apiVersion, kind) =>
      versions.find(
        apiVersion,
        (types) => types.find((type) => type.kind === kind),
        (error) => noSuchKind(`${kind} in ${apiVersion}`, error),
      ),
    resolve: (name) =>
      everything.find(
        '',
        ({ types }) => findByName(types, name),
        () => noSuchKind(`resource type "${name}"`),
      ),
  }
}

/** Answers by key. One that lacks what is looked for is asked again once: types come while we run. */
class Memory<T> {
  readonly #ask: (key: string) => Promise<T>
  readonly #answers = new Map<string, Promise<T>>()

  constructor(ask: (key: string) => Promise<T>) {
    this.#ask = ask
  }

  get(key: string): Promise<T> {
    return this.#answers.get(key) ?? this.#askAnew(key)
  }

  async find<F>(
    key: string,
    pick: (answer: T) => F | undefined,
    missing: (error?: ApiError) => Error,
  ): Promise<F> {
    const remembered = this.#answers.has(key)
    try {
      const found = pick(await this.get(key)) ?? (remembered ? pick(await this.#askAnew(key)) : undefined)
      if (found !== undefined) return found
    } catch (error) {
      if (error instanceof ApiError && error.status.code === 404) throw missing(error)
      throw error
    }
    throw missing()
  }

  #askAnew(key: string): Promise<T> {
    const asked = this.#ask(key)
    this.#answers.set(key, asked)
    asked.catch(() => {
      if (this.#answers.get(key) === asked) this.#answers.delete(key)
    })
    return asked
  }
}

function noSuchKind(what: string, cause?: ApiError): KubesyncError {
  return new KubesyncError('NO_SUCH_KIND', `The server has no ${what}.`, {
    hint: '`kubectl api-resources` lists what it has.',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** As kubectl: real names before short ones, and whichever the server prefers of several. */
function findByName(types: readonly ResourceType[], name: string): ResourceType | undefined {
  const [word = '', ...rest] = name.toLowerCase().split('.')
  const suffix = rest.join('.')
  const candidates = types.filter((type) => isIn(type, suffix))
  return (
    candidates.find(({ plural, singular, kind }) => [plural, singular, kind.toLowerCase()].includes(word)) ??
    candidates.find(({ shortNames }) => shortNames.includes(word))
  )
}

/** `apps`, `v1.apps` or nothing at all; `v1` for the core group. */
function isIn({ apiVersion }: ResourceType, suffix: string): boolean {
  if (suffix === '') return true
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return suffix === group || suffix === `${version}.${group}` || (group === '' && suffix === version)
}
