import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KubeObject } from '../object.ts'

/** A request to upgrade its connection, as node:http hands it over; it is already authorised. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** The query of `pods/exec`, and with `attach` of `pods/attach`. */
export interface ExecOptions {
  /** Empty means the pod's default container. */
  readonly container: string
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
  readonly attach: boolean
}

/** The query of `pods/log`. */
export interface LogOptions {
  /** Empty means the pod's only container. */
  readonly container: string
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines?: number | undefined
  readonly sinceSeconds?: number | undefined
  readonly sinceTime?: Date | undefined
  readonly limitBytes?: number | undefined
}

/**
 * What a node serves of a pod. Each throws an ApiFailure as long as nothing was answered; afterwards the connection is its
 * own to end.
 */
export interface PodStreams {
  exec(pod: KubeObject, options: ExecOptions, upgrade: Upgrade): void
  portForward(pod: KubeObject, upgrade: Upgrade): void
  logs(pod: KubeObject, options: LogOptions, response: ServerResponse): void
}
