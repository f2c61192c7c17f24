import { describe, expect, test } from 'vitest'
import { Thrift } from './thrift.ts'

const MB = 1e6

interface Line {
  /** Bytes a second. */
  readonly speed: number
  /** How much smaller content gets, and bytes a second at which it does. */
  readonly ratio: number
  readonly compression: number
}

/** Sends so much over a line: the seconds that takes, and the share of content that was compressed. */
function sending(total: number, { speed, ratio, compression }: Line) {
  let clock = 0
  let compressed = 0
  const thrift = new Thrift(() => clock * 1000)
  for (let left = total; left > 0; left -= MB / 4) {
    const wire = thrift.isOn ? MB / 4 / ratio : MB / 4
    clock += Math.max(wire / speed, thrift.isOn ? MB / 4 / compression : 0)
    if (thrift.isOn) compressed += MB / 4
    thrift.sent(MB / 4)
  }
  return { seconds: clock, share: compressed / total }
}

describe('over a slow line', () => {
  const slow = { speed: 2 * MB, ratio: 3, compression: 200 * MB }

  test('everything is compressed', () => {
    expect(sending(100 * MB, slow).share).toBe(1)
  })

  test('that is quick once it is compressed, nearly everything is', () => {
    expect(sending(1000 * MB, { ...slow, speed: 20 * MB }).share).toBeGreaterThan(0.9)
  })
})

describe('over a line that carries it as it is', () => {
  const quick = { speed: 400 * MB, ratio: 3, compression: 80 * MB }

  test('nothing is compressed, once that is known', () => {
    const { seconds, share } = sending(300 * MB, quick)
    expect(share).toBeLessThan(0.06)
    expect(seconds).toBeLessThan((1.25 * 300 * MB) / quick.speed + 0.1)
  })

  test('little is compressed all the same', () => {
    expect(sending(10 * MB, quick).share).toBe(1)
  })
})
