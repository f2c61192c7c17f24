import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import { keeps } from '../files/conflicts.ts'
import type { ApiHandlers } from './api.ts'
import { type Answer, bodyOf } from './api-http.ts'
import {
  fetchContent,
  listConflicts,
  mergeConflict,
  type OpenSession,
  previewMerge,
  resolveConflict,
} from './settle.ts'

const resumeSchema = v.object({ spec: v.string() })
const spotSchema = v.object({ spec: v.string(), path: v.string(), pod: v.optional(v.string()) })
const mergedSchema = v.object({
  ...spotSchema.entries,
  versions: v.object({ local: v.string(), remote: v.string() }),
})
const resolveSchema = v.object({ ...spotSchema.entries, keep: v.picklist(keeps) })
const settleSchema = v.object({
  ...{ folder: v.string(), server: v.string(), id: v.string() },
  keep: v.picklist(['local', 'remote']),
})
const stopSchema = v.object({ what: v.picklist(['specs', 'keeps']), folder: v.exactOptional(v.string()) })

/** What a request is answered with; `body` is what came with it. */
type Route = (handlers: ApiHandlers, body: unknown) => Promise<unknown>

/** Those that are answered with data at once, as api.ts has them. */
const routes: Readonly<Record<string, Route>> = {
  'GET /status': async (handlers) => handlers.status(),
  'POST /resume': async (handlers, body) => {
    const { spec } = v.parse(resumeSchema, body)
    const resumed = handlers.resume(spec)
    if (resumed === undefined) throw noSuchSpec(spec)
    return { resumed }
  },
  'POST /reload': async (handlers, body) => {
    const { spec } = v.parse(resumeSchema, body)
    sessionsOf(handlers, spec)
    const reloaded = await handlers.reload(spec)
    if (reloaded !== undefined) return { reloaded }
    throw new KubesyncError('NO_RELOAD', `${spec} does not say how to reload its containers`, {
      hint: 'add `reload: restart`, or another way, to it in the configuration',
    })
  },
  'POST /conflicts': async (handlers, body) => {
    const { spec } = v.parse(resumeSchema, body)
    return { conflicts: await listConflicts(sessionsOf(handlers, spec)) }
  },
  'POST /resolve': async (handlers, body) => {
    const { spec, keep, ...spot } = v.parse(resolveSchema, body)
    return { resolved: await resolveConflict(sessionsOf(handlers, spec), spot, keep) }
  },
  'POST /merge': async (handlers, body) => {
    const { spec, ...spot } = v.parse(spotSchema, body)
    const { content, versions } = await previewMerge(sessionsOf(handlers, spec), spot)
    return { content: content.toString('base64'), versions }
  },
  'POST /merged': async (handlers, body) => {
    const { spec, versions, ...spot } = v.parse(mergedSchema, body)
    await mergeConflict(sessionsOf(handlers, spec), spot, versions)
    return {}
  },
  'POST /content': async (handlers, body) => {
    const { spec, ...spot } = v.parse(spotSchema, body)
    return { content: (await fetchContent(sessionsOf(handlers, spec), spot)).toString('base64') }
  },
  'POST /settle': async (handlers, body) => {
    const { id, keep, ...place } = v.parse(settleSchema, body)
    await handlers.settleKept(place, id, keep)
    return {}
  },
}

/** Answers what is asked of the local API. */
export async function answer(request: IncomingMessage, handlers: ApiHandlers): Promise<Answer> {
  const asked = `${request.method} ${request.url}`
  const body: unknown = request.method === 'POST' ? JSON.parse(await bodyOf(request)) : undefined
  if (asked === 'POST /stop') return stop(handlers, v.parse(stopSchema, body))
  const route = Object.hasOwn(routes, asked) ? routes[asked] : undefined
  if (route !== undefined) return { status: 200, body: await route(handlers, body) }
  throw new KubesyncError('NO_SUCH_REQUEST', `the running watch does not know ${asked}`)
}

/** What is wanted ends once the answer is on its way, and with the last of it the process. */
async function stop(
  handlers: ApiHandlers,
  { what, folder }: v.InferOutput<typeof stopSchema>,
): Promise<Answer> {
  const before = handlers.status()
  const isMeant = ({ folder: one }: { folder: string }) => folder === undefined || folder === one
  const isSpecs = what === 'specs'
  const ended = isSpecs ? [] : before.keeps.map(({ folder }) => ({ folder })).filter(isMeant)
  const isDone = isSpecs ? before.watches : ended.length > 0
  const goesOn = before.keeps.length > ended.length || (before.watches && !isSpecs)
  return {
    status: 200,
    body: { pid: process.pid, isDone, goesOn, ended: ended.map(({ folder }) => folder) },
    afterwards: () => void (isSpecs ? handlers.endSpecs() : handlers.endKeeps(folder)),
  }
}

function sessionsOf(handlers: ApiHandlers, spec: string): readonly OpenSession[] {
  const sessions = handlers.sessions(spec)
  if (sessions === undefined) throw noSuchSpec(spec)
  return sessions
}

function noSuchSpec(spec: string): KubesyncError {
  return new KubesyncError('NO_SUCH_SPEC', `no spec named ${spec} is watched`)
}
