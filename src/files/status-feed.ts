import type { SessionPhase, SessionStatus } from './status.ts'

/** Milliseconds between two tellings of the same phase: as often as a person can see. */
const PAUSE_MS = 100

/** Tells of a status: of a new phase at once, of anything else now and then, and of the last state always. */
export class StatusFeed {
  private readonly build: () => SessionStatus
  private readonly onStatus: (status: SessionStatus) => void
  private phase: SessionPhase | undefined
  private toldAt = 0
  private timer: NodeJS.Timeout | undefined

  constructor(build: () => SessionStatus, onStatus: (status: SessionStatus) => void) {
    this.build = build
    this.onStatus = onStatus
  }

  changed(phase: SessionPhase): void {
    const wait = this.toldAt + PAUSE_MS - performance.now()
    if (phase !== this.phase || wait <= 0) this.tell(phase)
    else this.timer ??= setTimeout(() => this.tell(this.phase), wait)
  }

  private tell(phase: SessionPhase | undefined): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.phase = phase
    this.toldAt = performance.now()
    this.onStatus(this.build())
  }
}
