import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import { attributesSchema } from '../files/replica/attributes.ts'

const containerId = v.pipe(v.string(), v.minLength(1))
const name = v.pipe(v.string(), v.regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/))

/** A pod, so that no other one can be meant. */
const podSchema = v.strictObject({ namespace: name, name, uid: v.pipe(v.string(), v.minLength(1)) })
export type PodRef = v.InferOutput<typeof podSchema>

/** What a channel between a laptop and an agent is for; JSON in the channel's header. */
export const channelSchema = v.variant('type', [
  /** The agent answers with one message, `helloSchema`, and ends. In a pod it looks for the container that is named. */
  v.strictObject({ type: v.literal('hello'), containerId: v.optional(v.string()) }),
  /**
   * A strict agent answers with one message, `challengeSchema`; after one of the caller's, which says nothing but that the
   * answer stands in the pod's annotations, it answers with `openedSchema`, and ends.
   */
  v.strictObject({ type: v.literal('prove'), pod: podSchema, containerId }),
  /** Content, as from a replica's `read`, to be kept for mirrors. What the agent answers is in `content/keep.ts`. */
  v.strictObject({ type: v.literal('keep') }),
  /** The agent answers with one message, `openedSchema`; a replica's own protocol follows it. */
  v.strictObject({
    type: v.literal('replica'),
    containerId,
    path: v.pipe(v.string(), v.startsWith('/')),
    /** Makes the directory where it is missing. */
    create: v.boolean(),
    /** What new files and directories get. */
    attributes: v.optional(attributesSchema),
  }),
  /** The agent does it, answers with one message, `openedSchema`, and ends. */
  v.strictObject({
    type: v.literal('reload'),
    containerId,
    /**
     * In place, or a signal's name; or the whole container: the agent tells with another message, `successorSchema`, of the
     * one that came in its place, and lets it go on when the channel ends.
     */
    how: v.union([
      v.picklist(['restart', 'restart-container']),
      v.pipe(v.string(), v.regex(/^SIG[A-Z0-9+]+$/)),
    ]),
  }),
])
export type ChannelRequest = v.InferOutput<typeof channelSchema>
export type ReplicaRequest = Extract<ChannelRequest, { type: 'replica' }>
export type ProveRequest = Extract<ChannelRequest, { type: 'prove' }>
export type ReloadRequest = Extract<ChannelRequest, { type: 'reload' }>

/** Random, and good for one proof. */
export const challengeSchema = v.object({ nonce: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)) })
export type Challenge = v.InferOutput<typeof challengeSchema>

export const helloSchema = v.object({
  version: v.string(),
  node: v.string(),
  pid: v.number(),
  /** SHA-256 of the agent's code, of an agent whose code did not come from the caller. */
  digest: v.exactOptional(v.string()),
  /** The container that was asked about, if the agent sees it. */
  container: v.optional(
    v.object({
      /** Of its first process. */
      uid: v.number(),
      gid: v.number(),
      /** The agent has these ids, or may take them. */
      within: v.boolean(),
    }),
  ),
  /** Bytes of content that it keeps for mirrors; absent if it has no place for that. */
  store: v.exactOptional(v.number()),
})
export type Hello = v.InferOutput<typeof helloSchema>

export const successorSchema = v.object({ containerId: v.string(), held: v.boolean() })
export type SuccessorTold = v.InferOutput<typeof successorSchema>

export const openedSchema = v.variant('ok', [
  v.object({ ok: v.literal(true) }),
  v.object({ ok: v.literal(false), code: v.string(), message: v.string(), hint: v.optional(v.string()) }),
])
export type Opened = v.InferOutput<typeof openedSchema>

/** An error as the other end can be told of it. */
export function refused(error: unknown): Opened {
  if (!(error instanceof KubesyncError)) {
    return {
      ok: false,
      code: 'AGENT_FAILED',
      message: error instanceof Error ? error.message : String(error),
    }
  }
  return {
    ok: false,
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

/** Parses JSON that came from the other end. */
export function parseJson<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)))
  } catch (error) {
    throw new KubesyncError('WIRE_BROKEN', 'the other end sent something that is not in the protocol', {
      cause: error,
    })
  }
}

export function toJson(value: ChannelRequest | Hello | Challenge | Opened | SuccessorTold): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}
