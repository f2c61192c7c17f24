import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { Shape } from '../diff/shape.ts'
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
        const answer = await dryRun(
          client,
          withoutAll(
            live.object,
            suspects.map(({ path }) => path),
          ),
        )
        if ('refused' in answer) refused.set(kind, answer.refused)
        else
          for (const one of suspects)
            verdicts.set(keyOf(one), equal(valueAt(answer.object, one.path), one.value))
      }
      const isDefault = (one: Suspect) => verdicts.get(keyOf(one)) ?? one.isProbable
      const paths: Path[] = suspects.filter(isDefault).map(({ path }) => path)
      return withoutAll(live.clean, paths)
    },
  }
}

async function dryRun(
  client: KubeClient,
  object: JsonMap,
): Promise<{ readonly object: JsonMap } | { readonly refused: string }> {
  const { apiVersion, kind, metadata } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isMap(metadata)) return { refused: '' }
  const { managedFields: _, ...named } = metadata
  const [name, namespace] = [metadata.name, metadata.namespace].map((one) =>
    typeof one === 'string' ? one : undefined,
  )
  try {
    const path = await client.path({ apiVersion, kind, name, namespace })
    const query = { dryRun: 'All', fieldManager }
    const answer = await client.request({ method: 'PUT', path, query, body: { ...object, metadata: named } })
    return { object: answer as JsonMap }
  } catch (error) {
    if (error instanceof ApiError && error.status.code !== 401) return { refused: error.status.message }
    throw error
  }
}
