import type { IncomingMessage } from 'node:http'

/** The channels of a command's stream, as Kubernetes numbers them. */
export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2
/** Carries a `metav1.Status` when the command is over. */
export const STATUS = 3

/** The server's answer when it is not a connection. */
export interface Refused {
  readonly refusal: IncomingMessage
}

/** What carries the channels of one command: a WebSocket or a SPDY connection. */
export interface ExecTransport {
  /** Whether stdin can be closed while stdout stays open. */
  readonly canEndStdin: boolean
  /** Of a piece, at most. Servers read one whole, and pass it on while they read the next. */
  readonly pieceBytes: number
  /** Nothing is read while this is true. */
  readonly isPaused: boolean
  /** Says who is told what comes. Called once, before anything is read. */
  listen(listener: ExecListener): void
  /** Sends a piece to stdin; `taken` is called once it may be overwritten, also when the connection is gone. */
  send(piece: Buffer, taken: () => void): void
  endStdin(): void
  ping(): void
  pause(): void
  resume(): void
  /** Ends the connection at once; the listener's `onClose` follows. */
  terminate(): void
}

export interface ExecListener {
  onData(channel: number, data: Buffer): void
  /** An answer to a ping. */
  onAlive(): void
  /** The connection is gone, why if one knows. Called once, last. */
  onClose(reason: string): void
}
