export interface Heartbeat {
  /** Something came from the peer. */
  alive(): void
  stop(): void
}

export interface HeartbeatOptions {
  /** Asks the peer for a sign of life. */
  readonly ping: () => void
  /** We ourselves do not listen (back-pressure): silence says nothing then. */
  readonly deaf: () => boolean
  /** Called once, after which the heartbeat has stopped. */
  readonly onSilence: (milliseconds: number) => void
  /** Milliseconds between two pings. */
  readonly intervalMs: number
  /** Milliseconds of silence, while we listened, that mean that the peer is gone. */
  readonly limitMs: number
}

/**
 * Notices a peer that is gone without a word. Only silence that we would have heard counts: time in which this
 * process was busy, stopped or asleep, or did not read, is not held against the peer.
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { intervalMs, limitMs } = options
  let silentMs = 0
  let ticked = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const late = now - ticked > intervalMs * 1.5
    ticked = now
    if (late || options.deaf()) silentMs = 0
    else silentMs += intervalMs
    // Timers run before sockets are read: what waits there is heard before the verdict.
    if (silentMs >= limitMs) setImmediate(judge)
    else options.ping()
  }, intervalMs)

  const judge = () => {
    if (silentMs < limitMs) return
    clearInterval(timer)
    options.onSilence(silentMs)
  }

  return {
    alive: () => {
      silentMs = 0
    },
    stop: () => {
      silentMs = 0
      clearInterval(timer)
    },
  }
}
