import type { V1Container, V1EphemeralContainer, V1PodSpec } from '@kubernetes/client-node'
import type { KubeObject, Metadata } from '../object.ts'

/** A pod as the API stores it: checked against the schema, with defaults. */
export interface Pod extends KubeObject {
  readonly metadata: Metadata & { readonly namespace: string; readonly uid: string }
  readonly spec: V1PodSpec
}

export type Container = V1Container | V1EphemeralContainer

/** Why a container cannot be made now, as its status says it. */
export class NotYet extends Error {
  readonly reason: 'ErrImagePull' | 'CreateContainerConfigError'

  constructor(reason: NotYet['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** An object of the resource `pods`; the API has checked its shape before it came into the store. */
export function podOf(object: KubeObject): Pod {
  return object as Pod
}

/** All containers, in the order in which a real server names them. */
export function containersOf({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
}

/** The machine's own address, which is the node's. */
export const hostIP = '127.0.0.1'

/** An address of the pod's own where all of 127/8 leads to this machine, which is on Linux only. */
export function podIPOf({ metadata, spec }: Pod): string {
  if (process.platform !== 'linux' || spec.hostNetwork === true) return hostIP
  const [a = 0, b = 0, c = 0] = Buffer.from(metadata.uid.replaceAll('-', ''), 'hex')
  return `127.${1 + (a % 254)}.${b}.${1 + (c % 254)}`
}
