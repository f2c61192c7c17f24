import { refusal } from './refusal.ts'

/** Keys that wait for their turn. */
export interface Queue {
  /** A key that waits already is not added again. */
  add(key: string): void
  addAfter(key: string, ms: number): void
  close(): void
}

const firstRetry = 100
const longestRetry = 60_000

/**
 * Works on keys one after the other, each soon after it was added. A key whose work the API refused comes back, later each
 * time. What else is thrown is a defect, and is not caught.
 */
export function startQueue(work: (key: string) => void): Queue {
  const waiting = new Set<string>()
  const timers = new Map<string, NodeJS.Timeout>()
  const delays = new Map<string, number>()
  let turn: NodeJS.Immediate | undefined

  function add(key: string): void {
    waiting.add(key)
    turn ??= setImmediate(drain)
  }

  function addAfter(key: string, ms: number): void {
    clearTimeout(timers.get(key))
    timers.set(
      key,
      setTimeout(() => add(key), ms),
    )
  }

  function drain(): void {
    turn = undefined
    const keys = [...waiting]
    waiting.clear()
    keys.forEach(carryOut)
  }

  function carryOut(key: string): void {
    const delay = delays.get(key) ?? firstRetry
    delays.delete(key)
    if (refusal(() => work(key)) === undefined) return
    delays.set(key, Math.min(longestRetry, delay * 2))
    addAfter(key, delay)
  }

  return {
    add,
    addAfter,
    close() {
      clearImmediate(turn)
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
