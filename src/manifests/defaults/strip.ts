import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { Shape } from '../diff/shape.ts'
import { forEachOf } from '../live/pool.ts'
import { valueAt } from '../path.ts'
import type { Live } from '../plan/make.ts'
import { fieldManager } from '../plan/owners.ts'
import { equal, isMap, type JsonMap, type Path } from '../value.ts'
import { type Suspect, suspectsIn, withoutAll } from './find.ts'

/** What the server said of fields, by kind and signature: whether it is a default. */
export type Verdicts = Map<string, boolean>

export interface Stripper {
  /** A clean live object without what the server would fill in again; `like` is the user's own, whose fields stay. */
  strip(live: Live, like: JsonMap | undefined, shape: Shape): Promise<JsonMap>
  /** Kinds for which the server could not be asked, and why. */
  readonly refused: ReadonlyMap<string, string>
}

/**
 * Leaves fields out in an update that is a dry run, and takes those for defaults that come back with the same
 * value. What it learns goes into `verdicts`, so that one answer serves all objects that are alike in it.
 */
export function openStripper(client: KubeClient, verdicts: Verdicts): Stripper {
  const refused = new Map<string, string>()
  const asking = new Map<string, Promise<void>>()
  return {
    refused,
    async strip(live, like, shape) {
      const kind = `${live.object.apiVersion} ${live.object.kind}`
      const suspects = suspectsIn(live.clean, like, shape)
      const keyOf = ({ signature }: Suspect) => `${kind} ${signature}`
      const isOpen = (one: Suspect) => !verdicts.has(keyOf(one))
      // Objects that are alike come together: the first asks for all.
      while (suspects.some(isOpen) && !refused.has(kind)) {
        const busy = asking.get(kind)
        if (busy !== undefined) await busy
        else {
          const asked = ask().finally(() => asking.delete(kind))
          asking.set(kind, asked)
          await asked
        }
      }
      async function ask(): Promise<void> {
        // In the whole object: what is not for files has to be there for the server, and moves items of lists.
        const whole = suspectsIn(live.object, undefined, shape).filter(isOpen)
        const answer = await askAbout(whole)
        if (answer.code === 403) refused.set(kind, answer.reason)
        // Something among them cannot be left out of what is there already: one by one it shows what can.
        else if (answer.code !== 0) await forEachOf(whole, 4, (one) => askAbout([one]))
        // What is still open the server will not tell.
        for (const one of [...whole, ...suspects].filter(isOpen)) verdicts.set(keyOf(one), one.isProbable)
      }
      async function askAbout(some: readonly Suspect[]): Promise<Answer> {
        const answer = await dryRun(
          client,
          withoutAll(
            live.object,
            some.map(({ path }) => path),
          ),
        )
        if (answer.object !== undefined)
          for (const one of some) verdicts.set(keyOf(one), equal(valueAt(answer.object, one.path), one.value))
        return answer
      }
      const isDefault = (one: Suspect) => verdicts.get(keyOf(one)) ?? one.isProbable
      const paths: Path[] = suspects.filter(isDefault).map(({ path }) => path)
      return withoutAll(live.clean, paths)
    },
  }
}

interface Answer {
  readonly object?: JsonMap
  /** 0 for a success, else of HTTP. */
  readonly code: number
  readonly reason: string
}

async function dryRun(client: KubeClient, object: JsonMap): Promise<Answer> {
  const { apiVersion, kind, metadata } = object
  const { managedFields: _, ...named } = isMap(metadata) ? metadata : {}
  const [name, namespace] = [named.name, named.namespace].map((one) =>
    typeof one === 'string' ? one : undefined,
  )
  try {
    const path = await client.path({ apiVersion: String(apiVersion), kind: String(kind), name, namespace })
    const query = { dryRun: 'All', fieldManager }
    const answer = await client.request({ method: 'PUT', path, query, body: { ...object, metadata: named } })
    return { object: answer as JsonMap, code: 0, reason: '' }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status.code === 401) throw error
    return { code: error.status.code, reason: error.status.message }
  }
}
