import { createHash } from 'node:crypto'

/** Where in a pod's annotations the answer to a challenge stands; the nonce itself is the value. */
export function annotationFor(nonce: string): string {
  return `kubesync/proof-${createHash('sha256').update(nonce).digest('hex').slice(0, 16)}`
}
