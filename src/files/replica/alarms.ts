/** Calls back at most once at a time for each key. Nothing waits for it to do so. */
export class Alarms {
  private readonly timers = new Map<string, NodeJS.Timeout>()
  private readonly ring: (key: string) => void

  constructor(ring: (key: string) => void) {
    this.ring = ring
  }

  /** One that is set already stays as it is. */
  set(key: string, ms: number): void {
    if (this.timers.has(key)) return
    const timer = setTimeout(() => {
      this.timers.delete(key)
      this.ring(key)
    }, ms)
    this.timers.set(key, timer.unref())
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer)
  }
}
