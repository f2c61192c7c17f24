import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { KubesyncError } from '../../errors.ts'
import type { PodRef } from '../protocol.ts'
import { accountDirectory } from './places.ts'

const limitMs = 10_000

/**
 * Asks the API server for a pod as the agent's own service account, whose token may have been renewed meanwhile; undefined
 * if there is none.
 */
export async function readPod({ namespace, name }: PodRef): Promise<unknown> {
  const { status, body } = await get(`/api/v1/namespaces/${namespace}/pods/${name}`).catch((error: Error) => {
    throw new KubesyncError('PROOF_UNREAD', `the agent cannot reach the API server: ${error.message}`, {
      hint: 'a strict agent has to reach it from its pod, to read the proof; is a network policy in the way?',
    })
  })
  if (status === 200) return JSON.parse(body)
  if (status === 404) return undefined
  throw new KubesyncError('PROOF_UNREAD', `the agent may not read the pod ${name} (HTTP ${status})`, {
    hint: 'run `ksync init --strict` again to repair its ClusterRole',
  })
}

async function get(path: string): Promise<{ status: number; body: string }> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  const headers = { Authorization: `Bearer ${readFileSync(`${accountDirectory}/token`, 'utf8').trim()}` }
  const ca = readFileSync(`${accountDirectory}/ca.crt`)
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limitMs)
    request({ host, port, path, ca, headers, signal, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
      .on('error', reject)
      .end()
  })
}
