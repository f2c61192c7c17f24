import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import { writeMessage } from '../../wire/messages.ts'
import type { Mux } from '../../wire/mux.ts'
import { greeting, open, refusalOf } from '../converse.ts'
import { challengeSchema, openedSchema, type PodRef, type ProveRequest, parseJson } from '../protocol.ts'
import { annotationFor } from './annotation.ts'

/**
 * Proves to a strict agent that this user may patch a pod: writes what it asks for into the pod's annotations, and removes
 * that again when the agent has looked.
 */
export async function prove(client: KubeClient, mux: Mux, target: Omit<ProveRequest, 'type'>): Promise<void> {
  const { pod, containerId } = target
  const channel = open(mux, { type: 'prove', pod, containerId })
  try {
    const { nonce } = parseJson(challengeSchema, await greeting(channel))
    const key = annotationFor(nonce)
    await annotate(client, pod, { [key]: nonce })
    try {
      await writeMessage(channel, new Uint8Array(1))
      const opened = parseJson(openedSchema, await greeting(channel))
      if (!opened.ok) throw refusalOf(opened)
    } finally {
      // It is of no use any more; what is left after a crash is no harm.
      await annotate(client, pod, { [key]: null }).catch(() => {})
    }
  } finally {
    channel.destroy()
  }
}

async function annotate(client: KubeClient, pod: PodRef, annotations: object): Promise<void> {
  const { namespace, name, uid } = pod
  try {
    const ref = { apiVersion: 'v1', plural: 'pods', namespace, name }
    await client.patch(ref, { metadata: { uid, annotations } })
  } catch (error) {
    throw error instanceof ApiError && error.code === 'FORBIDDEN' ? forbidden(pod, error) : error
  }
}

function forbidden({ namespace, name }: PodRef, cause: ApiError): KubesyncError {
  const what = `the agents are strict: they serve the pod ${name} to those only who may patch it (${cause.status.message})`
  return new KubesyncError('NOT_PROVED', what, {
    hint: `ask for the right to patch pods in namespace ${namespace}`,
    cause,
  })
}
