import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { ContainerLog } from './log.ts'
import type { LogOptions } from './streams.ts'

let log: ContainerLog
beforeEach(() => {
  log = new ContainerLog()
})

const plain: LogOptions = { container: 'app', follow: false, previous: false, timestamps: false }
const never = new AbortController().signal

async function text(options: Partial<LogOptions> = {}, of = log): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of of.read({ ...plain, ...options }, never)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const say = (line: string) => log.write('stdout', Buffer.from(line))

test('whatever is said comes back as it was, however it was cut', async () => {
  const chunk = fc.oneof(
    fc.string(),
    fc.constant('\n'),
    fc.nat(40_000).map((length) => 'x'.repeat(length)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(chunk), async (chunks) => {
      const fresh = new ContainerLog()
      for (const each of chunks) fresh.write('stdout', Buffer.from(each))
      fresh.end()
      expect(await text({}, fresh)).toBe(chunks.join(''))
    }),
    { numRuns: 50 },
  )
})

test('stdout and stderr are told in the order of their lines', async () => {
  say('one\ntw')
  log.write('stderr', Buffer.from('wrong\n'))
  say('o\n')
  expect(await text()).toBe('one\nwrong\ntwo\n')
})

test.each([
  [{ tailLines: 0 }, ''],
  [{ tailLines: 2 }, 'b\nc\n'],
  [{ tailLines: 9 }, 'a\nb\nc\n'],
  [{ limitBytes: 3 }, 'a\nb'],
  [{ sinceSeconds: 3600 }, 'a\nb\nc\n'],
  [{ sinceTime: new Date(Date.now() + 3_600_000) }, ''],
])('%o', async (options, expected) => {
  say('a\nb\nc\n')
  expect(await text(options)).toBe(expected)
})

test('times come before lines, not before their parts', async () => {
  say(`${'x'.repeat(20_000)}\nshort\n`)
  const lines = (await text({ timestamps: true })).split('\n')
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x{20000}$/)
  expect(lines[1]).toMatch(/Z short$/)
})

test('it can be followed to its end, also when what it began with is forgotten', async () => {
  const following = text({ follow: true })
  const lines = Array.from({ length: 1200 }, (_, index) => `${index} ${'x'.repeat(10_000)}\n`)
  for (const [index, line] of lines.entries()) {
    say(line)
    if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  log.end()
  expect(await following).toBe(lines.join(''))
  const kept = await text()
  expect(kept.length).toBeLessThan(4 << 20)
  expect(lines.join('').endsWith(kept)).toBe(true)
})

test('who stops following is let go', async () => {
  const gone = new AbortController()
  const reading = log.read({ ...plain, follow: true }, gone.signal)
  say('one\n')
  expect((await reading.next()).value?.toString()).toBe('one\n')
  const next = reading.next()
  gone.abort()
  expect(await next).toEqual({ done: true, value: undefined })
})
