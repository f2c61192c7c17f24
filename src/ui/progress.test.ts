import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createProgress, type ProgressStream } from './progress.ts'

function recorder(options: { isTTY: boolean; columns?: number }): ProgressStream & { text: string } {
  return {
    ...options,
    text: '',
    write(text: string) {
      this.text += text
    },
  }
}

describe('on a terminal', () => {
  test('one line changes, and lines that stay are above it', () => {
    const stream = recorder({ isTTY: true, columns: 80 })
    const progress = createProgress(stream)
    progress.update('1 of 2')
    progress.line('conflict: a')
    progress.update('2 of 2')
    expect(onScreen(stream.text)).toBe('conflict: a\n2 of 2')
    progress.done()
    expect(onScreen(stream.text)).toBe('conflict: a\n')
  })

  test('a line longer than it is wide is cut, because it could not be taken away again', () => {
    const stream = recorder({ isTTY: true, columns: 10 })
    createProgress(stream).update('0123456789abc')
    expect(onScreen(stream.text)).toBe('01234567…')
  })

  /** What a terminal shows after these bytes. */
  function onScreen(text: string): string {
    return text
      .split('\n')
      .map((line) => line.split('\r\x1b[K').at(-1))
      .join('\n')
  }
})

describe('elsewhere', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('what is over soon is not told, what lasts is told, now and then', () => {
    const stream = recorder({ isTTY: false })
    const progress = createProgress(stream, { firstMs: 1_000, everyMs: 10_000 })
    progress.update('1 of 9')
    progress.update('')
    vi.advanceTimersByTime(1_000)
    expect(stream.text).toBe('')
    progress.update('2 of 9')
    progress.update('3 of 9')
    vi.advanceTimersByTime(1_000)
    expect(stream.text).toBe('3 of 9\n')
    progress.update('4 of 9')
    vi.advanceTimersByTime(9_999)
    progress.update('5 of 9')
    expect(stream.text).toBe('3 of 9\n')
    vi.advanceTimersByTime(1)
    expect(stream.text).toBe('3 of 9\n5 of 9\n')
  })

  test('what has not changed is not told again', () => {
    const stream = recorder({ isTTY: false })
    const progress = createProgress(stream)
    for (let minute = 0; minute < 5; minute++) {
      progress.update('waiting')
      vi.advanceTimersByTime(60_000)
    }
    expect(stream.text).toBe('waiting\n')
  })

  test('nothing comes after the end', () => {
    const stream = recorder({ isTTY: false })
    const progress = createProgress(stream)
    progress.update('deleting')
    progress.line('deleted')
    progress.done()
    vi.advanceTimersByTime(60_000)
    expect(stream.text).toBe('deleted\n')
  })
})
