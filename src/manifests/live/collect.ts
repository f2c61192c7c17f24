import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { ListOptions } from '../../kube/list.ts'
import type { ResourceType } from '../../kube/resource-type.ts'
import { groupBy } from '../group.ts'
import { groupOf, identityOf, nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import type { LeftOut, PlanProblem } from '../plan/plan.ts'
import type { JsonMap } from '../value.ts'
import { asMap, width } from './fetch.ts'
import { keeperOf, keeperOfKind, reasonOf } from './keep.ts'
import type { Keeper } from './keepers.ts'
import { forEachOf } from './pool.ts'

/** Which objects of a cluster. */
export interface Extent {
  readonly types: readonly ResourceType[]
  /** Undefined for all. */
  readonly namespace: string | undefined
  readonly labelSelector: string | undefined
  /** What is listed although somebody else looks after it. */
  readonly included: ReadonlySet<Keeper>
  /** The names of objects that are in a file: somebody keeps those, whoever made them. */
  readonly inFiles?: ReadonlySet<string>
  /** Called with the number of objects so far. */
  onProgress(amount: number): void
}

export interface Collected {
  readonly objects: readonly JsonMap[]
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly PlanProblem[]
}

/** Lists what people keep in files. A kind that cannot be listed is a problem, and the others go on. */
export async function collect(client: KubeClient, extent: Extent): Promise<Collected> {
  const objects = new Map<unknown, JsonMap>()
  const left: Keeper[] = []
  let read = 0
  const failed: { what: string; reason: string }[] = []
  const take = (object: JsonMap) => {
    const identity = identityOf(object)
    const isInFile = identity !== undefined && extent.inFiles?.has(nameOf(identity)) === true
    const keeper = isInFile ? undefined : keeperOf(object, extent.included)
    // Some objects are served by two groups.
    if (keeper === undefined) objects.set(valueAt(object, ['metadata', 'uid']) ?? object, object)
    else left.push(keeper)
  }
  await forEachOf(extent.types, width, async (type) => {
    try {
      const onPage = (amount: number) => {
        read += amount
        extent.onProgress(read)
      }
      for (const object of await listType(client, { type, extent, onPage })) take(object)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // What was removed since it was discovered, or was never meant to be listed.
      if (![404, 405].includes(error.status.code))
        failed.push({ what: type.plural, reason: reasonFor(error) })
    }
  })
  return {
    objects: [...objects.values()],
    leftOut: [...groupBy(left, String)].map(([, all]) => ({
      reason: reasonOf(all[0] ?? 'cluster'),
      count: all.length,
    })),
    problems: [...groupBy(failed, ({ reason }) => reason)].map(([reason, all]) => ({
      what: all.map(({ what }) => what).join(', '),
      reason,
    })),
  }
}

function reasonFor({ status }: ApiError): string {
  return status.code === 403 ? 'not listed: you may not' : `not listed: ${status.message}`
}

interface Listing {
  readonly type: ResourceType
  readonly extent: Extent
  /** Called with the number of objects of each page. */
  onPage(amount: number): void
}

async function listType(client: KubeClient, { type, extent, onPage }: Listing): Promise<JsonMap[]> {
  const { apiVersion, plural, namespaced } = type
  const namespace = namespaced ? extent.namespace : undefined
  const options: ListOptions = { labelSelector: extent.labelSelector }
  let pages: JsonMap[] = []
  for await (const page of client.list({ apiVersion, plural, namespace }, options)) {
    const items = page.items.map(asMap)
    pages = page.restarted ? items : pages.concat(items)
    onPage(items.length)
  }
  return pages
}

/** The types that hold what people keep: of each the version that the server prefers. */
export async function keptTypes(
  client: KubeClient,
  { included, isNamespaced }: { included: ReadonlySet<Keeper>; isNamespaced: boolean },
): Promise<{ types: ResourceType[]; problems: PlanProblem[] }> {
  const { types, unavailable } = await client.discovery.all()
  const listed = types.filter(({ apiVersion, kind, verbs, namespaced }) => {
    const group = groupOf(apiVersion)
    if (group === 'extensions' || !['list', 'get'].every((verb) => verbs.includes(verb))) return false
    if (isNamespaced && !namespaced) return false
    return keeperOfKind(group === '' ? kind : `${kind}.${group}`, included) === undefined
  })
  const preferred = groupBy(listed, ({ apiVersion, plural }) => `${plural}.${groupOf(apiVersion)}`)
  return {
    types: [...preferred.values()].flatMap(([first]) => first ?? []),
    problems: unavailable.map((what) => ({
      what,
      reason: 'not looked at: its own API server does not answer',
    })),
  }
}
