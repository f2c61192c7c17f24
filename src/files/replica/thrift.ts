/** Bytes of content a second that a line has to carry for compressing to cost more than it saves: 256 Mbit/s. */
const FAST = 32e6
/** Bytes after which it is looked at how quick it goes: more than what all buffers of a slow line take at once. */
const SPAN = 16 * 1024 * 1024
/** How much longer it compresses each time that it turned out to be worth it after all. */
const GROWTH = 4

/**
 * Whether to compress what is sent. Most of what is synced is little, and then always. Of much, as long as it goes
 * slowly; if it goes quickly, it is tried how it goes without, and that stays as long as the line carries it.
 */
export class Thrift {
  isOn = true
  private readonly now: () => number
  private since: number
  private bytes = 0
  private span = SPAN
  private patience = SPAN

  /** @param now milliseconds, of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.now = now
    this.since = now()
  }

  /** So many bytes of content were sent, and taken. */
  sent(bytes: number): void {
    this.bytes += bytes
    if (this.bytes < this.span) return
    const isFast = this.bytes / (this.now() - this.since) >= FAST / 1000
    if (!isFast && !this.isOn) this.patience *= GROWTH
    this.isOn = !isFast
    this.span = this.isOn ? this.patience : SPAN
    this.bytes = 0
    this.since = this.now()
  }
}
