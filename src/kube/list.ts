import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import type { KubeClient } from './client.ts'
import { ApiError } from './errors.ts'
import type { KubeObject, ResourceRef } from './resource.ts'

export interface ListOptions {
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Objects a page; 500 unless said. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Objects of one type, as of one moment. */
export interface Page<T> {
  readonly items: T[]
  /** Of the collection, to watch from. */
  readonly resourceVersion: string
  /** The pages before this one are void: the list began again. */
  readonly restarted: boolean
}

const LIMIT = 500

const pageSchema = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.looseObject({
    resourceVersion: v.optional(v.string(), ''),
    continue: v.optional(v.string(), ''),
  }),
  items: v.nullish(v.array(v.looseObject({ metadata: v.looseObject({ name: v.string() }) })), []),
})

/** Pages of a list; see `KubeClient.list`. */
export async function* listPages<T extends KubeObject>(
  client: KubeClient,
  ref: ResourceRef,
  options: ListOptions,
): AsyncGenerator<Page<T>> {
  yield* listPagesAt<T>(client, await client.path(ref), options)
}

/** The same, for a path. */
async function* listPagesAt<T extends KubeObject>(
  client: KubeClient,
  path: string,
  options: ListOptions,
): AsyncGenerator<Page<T>> {
  let token = ''
  let restarted = false
  do {
    try {
      const page = await fetchPage<T>(client, path, { ...options, token })
      yield { ...page, restarted }
      token = page.next
      restarted = false
    } catch (error) {
      // Between two pages the server compacted the revision that the list is of.
      if (token === '' || !(error instanceof ApiError) || error.status.code !== 410) throw error
      token = ''
      restarted = true
    }
  } while (token !== '' || restarted)
}

/** The pages put together. */
export async function listAll<T extends KubeObject>(
  client: KubeClient,
  ref: ResourceRef,
  options: ListOptions,
): Promise<Page<T>> {
  return listAllAt<T>(client, await client.path(ref), options)
}

/** The same, for a path. */
export async function listAllAt<T extends KubeObject>(
  client: KubeClient,
  path: string,
  options: ListOptions,
): Promise<Page<T>> {
  let items: T[] = []
  let resourceVersion = ''
  for await (const page of listPagesAt<T>(client, path, options)) {
    items = page.restarted ? page.items : items.concat(page.items)
    resourceVersion = page.resourceVersion
  }
  return { items, resourceVersion, restarted: false }
}

async function fetchPage<T>(
  client: KubeClient,
  path: string,
  { labelSelector, fieldSelector, limit = LIMIT, signal, token }: ListOptions & { token: string },
): Promise<Omit<Page<T>, 'restarted'> & { next: string }> {
  const query = { labelSelector, fieldSelector, limit, continue: token === '' ? undefined : token }
  const answer = await client.request({ path, query, signal })
  const result = v.safeParse(pageSchema, answer)
  if (!result.success) {
    const { server } = client.target
    throw new KubesyncError('NOT_KUBERNETES', `What ${server} answers to ${path} is not a list of objects.`)
  }
  const { apiVersion, kind, metadata } = result.output
  // Built-in types leave out of items what the list says for all of them.
  const type = { apiVersion, kind: kind.replace(/List$/, '') }
  const items = (result.output.items ?? []).map((item) => ({ ...type, ...item }) as T)
  return { items, resourceVersion: metadata.resourceVersion, next: metadata.continue }
}
