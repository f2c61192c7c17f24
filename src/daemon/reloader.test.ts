import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KubesyncError } from '../errors.ts'
import { newReloader, quietMs, type ReloaderOptions } from './reloader.ts'
import type { ReloadReport } from './status.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function reloaderWith(options: Partial<ReloaderOptions> = {}) {
  const reports: ReloadReport[] = []
  const act = vi.fn(async (): Promise<string | undefined> => undefined)
  const changed = (report: ReloadReport) => void reports.push(report)
  const reloader = newReloader({ how: 'restart', globs: undefined, act, changed, ...options })
  reloader.phase('in-sync')
  return { reloader, act, reports }
}

describe('when it reloads', () => {
  test('once, when nothing more has arrived for a while', async () => {
    const { reloader, act } = reloaderWith()
    for (const path of ['a', 'b', 'c']) {
      reloader.arrived(path, false)
      await vi.advanceTimersByTimeAsync(quietMs - 1)
    }
    expect(act).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(act).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(10 * quietMs)
    expect(act).toHaveBeenCalledTimes(1)
  })

  test('not before everything has arrived', async () => {
    const { reloader, act } = reloaderWith()
    reloader.phase('syncing')
    reloader.arrived('a', false)
    await vi.advanceTimersByTimeAsync(10 * quietMs)
    expect(act).not.toHaveBeenCalled()
    reloader.phase('in-sync')
    await vi.advanceTimersByTimeAsync(0)
    expect(act).toHaveBeenCalledTimes(1)
  })

  test.each(['halted', 'ended', undefined] as const)('not while the session is %s', async (phase) => {
    const { reloader, act } = reloaderWith()
    reloader.arrived('a', false)
    reloader.phase(phase)
    await vi.advanceTimersByTimeAsync(10 * quietMs)
    expect(act).not.toHaveBeenCalled()
  })

  test('once more for what arrives while it reloads, and never twice at a time', async () => {
    let done = (_: undefined) => {}
    const act = vi.fn(() => new Promise<undefined>((resolve) => (done = resolve)))
    const { reloader } = reloaderWith({ act })
    reloader.arrived('a', false)
    await vi.advanceTimersByTimeAsync(quietMs)
    reloader.arrived('b', false)
    await vi.advanceTimersByTimeAsync(10 * quietMs)
    expect(act).toHaveBeenCalledTimes(1)
    done(undefined)
    await vi.advanceTimersByTimeAsync(quietMs)
    expect(act).toHaveBeenCalledTimes(2)
  })

  test('at once on request, and never after it was stopped', async () => {
    const { reloader, act } = reloaderWith()
    expect(await reloader.now()).toMatchObject({ how: 'restart', ms: 0 })
    reloader.arrived('a', false)
    reloader.stop()
    await vi.advanceTimersByTimeAsync(10 * quietMs)
    expect(act).toHaveBeenCalledTimes(1)
  })
})

test.each([
  ['src/**/*.js', 'src/a/b.js', true],
  ['src/**/*.js', 'lib/b.js', false],
  ['src', 'src/deep/file', true],
  ['src/', 'src', false],
  ['*.js\n!test/', 'test/a.js', true],
  ['*.js\n!test/**', 'test/a.js', false],
  ['!*.md', 'a.js', true],
  ['!*.md', 'a.md', false],
])('--reload-on %j: a change of %s counts: %s', async (globs, path, counts) => {
  const { reloader, act } = reloaderWith({ globs: globs.split('\n') })
  reloader.arrived(path, false)
  await vi.advanceTimersByTimeAsync(quietMs)
  expect(act.mock.calls.length === 1).toBe(counts)
})

test('what came of it is told: how long it took, or why it was not done and what to do', async () => {
  const { reloader, act, reports } = reloaderWith()
  act.mockRejectedValueOnce(new KubesyncError('RELOAD_REFUSED', 'no', { hint: 'do that' }))
  act.mockResolvedValueOnce('otherwise')
  await reloader.now()
  await reloader.now()
  expect(reports).toEqual([
    { at: expect.any(String), how: 'restart', error: 'no; do that' },
    { at: expect.any(String), how: 'otherwise', ms: 0 },
  ])
})
