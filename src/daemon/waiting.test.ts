import { describe, expect, test } from 'vitest'
import { insist, newBackoff, newPause, within } from './waiting.ts'

const never = new AbortController().signal

describe('within', () => {
  const limits = (
    more: { limitMs?: number; signal?: AbortSignal; discard?: (value: string) => void } = {},
  ) => ({
    ...{ signal: never, limitMs: 10_000, late: () => new Error('late'), discard: () => {} },
    ...more,
  })

  test('settles as the work does', async () => {
    expect(await within(Promise.resolve('done'), limits())).toBe('done')
    await expect(within(Promise.reject(new Error('broken')), limits())).rejects.toThrow('broken')
  })

  test('gives up when time runs out, and disposes of what comes later', async () => {
    let finish = (_: string) => {}
    const work = new Promise<string>((resolve) => {
      finish = resolve
    })
    const discarded = new Promise<string>((discard) => {
      expect(within(work, limits({ limitMs: 1, discard })))
        .rejects.toThrow('late')
        .then(() => finish('result'))
    })
    expect(await discarded).toBe('result')
  })

  test('gives up when aborted', async () => {
    const controller = new AbortController()
    const waiting = within(new Promise<string>(() => {}), limits({ signal: controller.signal }))
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('a pause', () => {
  test('ends early when woken or aborted', async () => {
    const controller = new AbortController()
    const pause = newPause()
    const woken = pause.sleep(60_000, controller.signal)
    pause.wake()
    await woken
    const aborted = pause.sleep(60_000, controller.signal)
    controller.abort()
    await aborted
    await pause.sleep(60_000, controller.signal)
  })
})

describe('back-off', () => {
  test('doubles up to its limit, is spread by half, and begins anew', () => {
    const backoff = newBackoff({ firstMs: 100, maxMs: 1000 })
    for (const full of [100, 200, 400, 800, 1000, 1000]) {
      const ms = backoff.next()
      expect(ms).toBeGreaterThanOrEqual(full / 2)
      expect(ms).toBeLessThanOrEqual(full)
    }
    backoff.reset()
    expect(backoff.next()).toBeLessThanOrEqual(100)
  })
})

describe('insist', () => {
  const pace = { firstMs: 1, maxMs: 1 }

  test('tries until it works, and tells why it did not', async () => {
    const reasons: unknown[] = []
    const failed = (error: unknown) => reasons.push(error)
    const work = async () => {
      if (reasons.length < 2) throw reasons.length
      return 'done'
    }
    expect(await insist(work, { signal: never, pace, failed })).toBe('done')
    expect(reasons).toEqual([0, 1])
  })

  test('stops when aborted', async () => {
    const controller = new AbortController()
    const failed = () => controller.abort()
    expect(
      await insist(() => Promise.reject(new Error()), { signal: controller.signal, pace, failed }),
    ).toBeUndefined()
  })
})
