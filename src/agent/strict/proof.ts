import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import { KubesyncError } from '../../errors.ts'
import { readMessages, writeMessage } from '../../wire/messages.ts'
import type { Channel } from '../../wire/mux.ts'
import { type ProveRequest, refused, toJson } from '../protocol.ts'
import { bareContainerId } from '../radar.ts'
import { annotationFor } from './annotation.ts'

/** The pod as the API server has it, as far as it proves anything. */
const podSchema = v.object({
  metadata: v.object({
    uid: v.string(),
    annotations: v.nullish(v.record(v.string(), v.string()), {}),
  }),
  status: v.object({
    containerStatuses: v.nullish(v.array(v.object({ containerID: v.nullish(v.string(), '') })), []),
    initContainerStatuses: v.nullish(v.array(v.object({ containerID: v.nullish(v.string(), '') })), []),
  }),
})
type ProvingPod = v.InferOutput<typeof podSchema>

/** What one caller of a strict agent has proved, on one connection: nothing at first, and nothing on the next one. */
export interface Proofs {
  /** Puts a challenge to the caller, and answers whether it was met. */
  prove(channel: Channel, request: ProveRequest): Promise<void>
  /** Throws NOT_PROVED unless a right on the container's pod was proved. */
  demand(containerId: string): void
}

export interface ProofOptions {
  /** Asks the API server for a pod. */
  readonly readPod: (pod: ProveRequest['pod']) => Promise<unknown>
  /** The uid of the pod that the node itself says a container belongs to, as far as it does. */
  readonly podUidOf: (containerId: string) => string | undefined
}

/** Of a message that says nothing, in bytes. */
const maxAnswer = 1024

export function newProofs(options: ProofOptions): Proofs {
  const proved = new Set<string>()
  return {
    async prove(channel, request) {
      const nonce = randomBytes(32).toString('base64url')
      await writeMessage(channel, toJson({ nonce }))
      for await (const _ of readMessages(channel, maxAnswer)) break
      try {
        proved.add(await check(request, nonce, options))
        await writeMessage(channel, toJson({ ok: true }))
      } catch (error) {
        await writeMessage(channel, toJson(refused(error)))
      }
      channel.end()
    },
    demand(containerId) {
      const id = bareContainerId(containerId)
      if (id !== undefined && proved.has(id)) return
      throw new KubesyncError('NOT_PROVED', 'no right on the pod of this container was proved')
    },
  }
}

/** The container's id. Every other container, pod and nonce is refused. */
async function check(request: ProveRequest, nonce: string, options: ProofOptions): Promise<string> {
  const pod = v.safeParse(podSchema, await options.readPod(request.pod))
  const id = bareContainerId(request.containerId)
  // In the same words, whatever is wrong: nobody is to learn which pods there are.
  if (!pod.success || id === undefined || !holds(pod.output, { id, nonce, uid: request.pod.uid })) {
    throw new KubesyncError('NOT_PROVED', `the proof does not stand in the pod ${request.pod.name}`)
  }
  // The status of a pod is its kubelet's to write, but others may have been given that right.
  const said = options.podUidOf(id)
  if (said !== undefined && said !== request.pod.uid) {
    throw new KubesyncError('NOT_PROVED', 'the node says that the container is of another pod')
  }
  return id
}

interface Claim {
  readonly id: string
  readonly uid: string
  readonly nonce: string
}

/** Whether the pod carries the answer to a challenge, and the container is its. Pure. */
function holds({ metadata, status }: ProvingPod, { id, uid, nonce }: Claim): boolean {
  const containers = [...status.containerStatuses, ...status.initContainerStatuses]
  return (
    metadata.uid === uid &&
    metadata.annotations[annotationFor(nonce)] === nonce &&
    containers.some(({ containerID }) => bareContainerId(containerID) === id)
  )
}
