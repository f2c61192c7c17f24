import { beforeEach, describe, expect, test } from 'vitest'
import { Setbacks } from './setbacks.ts'
import type { Delta, Entry } from './tree.ts'

const denied = (path: string) => ({ path, code: 'EACCES', message: 'not allowed' })
const stamp = { mtimeMs: 0, ctimeMs: 0, ino: 1, size: 0, mode: 0 }
const directory: Entry = { kind: 'directory', stamp }
const change = (path: string, entry: Entry | null = directory): Delta => [[path, entry]]

let now: number
let setbacks: Setbacks
beforeEach(() => {
  now = 1_000_000
  setbacks = new Setbacks(() => now)
})

/** Milliseconds until a path is due, which it then is. */
function waitFor(path: string): number {
  const start = now
  now = setbacks.nextAt ?? Number.NaN
  expect(setbacks.takeDue()).toEqual([path])
  return now - start
}

describe('a path that moved', () => {
  test('waits until it has been looked at again', () => {
    setbacks.moved('remote', 'f')
    expect(setbacks.takeDue()).toEqual([])
    setbacks.mayRetry('f')
    expect(setbacks.takeDue()).toEqual(['f'])
  })

  test('is tried again ever more slowly, and said once that has gone on for a while', () => {
    const pauses: number[] = []
    for (let attempt = 1; attempt <= 12; attempt++) {
      setbacks.moved('remote', 'f')
      expect(setbacks.problems.length).toBe(attempt < 5 ? 0 : 1)
      setbacks.mayRetry('f')
      pauses.push(waitFor('f'))
    }
    expect(pauses.slice(0, 4)).toEqual([0, 100, 200, 400])
    expect(pauses.at(-1)).toBe(10_000)
  })

  test('is forgotten when it succeeds, or when there is nothing to do any more', () => {
    setbacks.moved('remote', 'f')
    setbacks.succeeded('f')
    expect(setbacks.nextAt).toBeUndefined()
    setbacks.moved('remote', 'f')
    setbacks.mayRetry('f')
    waitFor('f')
    setbacks.sweep(() => true)
    expect(setbacks.isPatient).toBe(false)
    setbacks.sweep(() => false)
    expect(setbacks.isPatient).toBe(true)
  })
})

describe('a path that failed', () => {
  test('is a problem, with which a session is as far as it can be', () => {
    setbacks.failed('local', denied('f'))
    expect(setbacks.problems).toEqual([{ ...denied('f'), side: 'local' }])
    expect(setbacks.isPatient).toBe(true)
  })

  test('for want of room is tried again after a second, then ever more slowly', () => {
    const pauses = Array.from({ length: 6 }, () => {
      setbacks.failed('remote', { path: 'f', code: 'ENOSPC', message: 'the disk is full' })
      return waitFor('f')
    })
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  test('is tried again after ten seconds', () => {
    setbacks.failed('local', denied('f'))
    expect(waitFor('f')).toBe(10_000)
  })

  test('is tried again when it changes, but not more than once a second', () => {
    setbacks.failed('local', denied('f'))
    setbacks.changed(change('f'))
    expect(waitFor('f')).toBe(1_000)
    setbacks.failed('local', denied('f'))
    now += 5_000
    setbacks.changed(change('f'))
    expect(waitFor('f')).toBe(0)
  })

  test('is tried again when a directory above it goes, not when that only has a new time', () => {
    setbacks.failed('local', denied('d/e/f'))
    setbacks.changed(change('d/e'))
    setbacks.changed(change('d/other', null))
    expect(setbacks.nextAt).toBe(now + 10_000)
    setbacks.changed(change('d', null))
    expect(setbacks.nextAt).toBe(now + 1_000)
  })

  test('covers what lies below it', () => {
    setbacks.failed('local', denied('d'))
    expect(['d', 'd/x/y', 'dx', ''].map((path) => setbacks.covers(path))).toEqual([true, true, false, false])
  })
})
