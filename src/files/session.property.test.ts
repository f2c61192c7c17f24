import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstContactsOf, modes } from './mode.ts'
import type { Side } from './side.ts'
import type { Conflict } from './status.ts'
import { anyEdit } from './testing/edits.ts'
import { isNear } from './testing/oracle.ts'
import { Play, type Setting, type Step } from './testing/play.ts'

/** How many stories there are to be of all modes together, new ones each time; else some hundred, the same ones. */
const { KUBESYNC_RUNS } = process.env
const RUNS = Number(KUBESYNC_RUNS ?? 320)
const HOUR = 3_600_000

const anySide = fc.constantFrom<Side>('local', 'remote')
const anyUserEdit = fc.record({
  step: fc.constant('edit' as const),
  side: anySide,
  edit: anyEdit,
  gap: fc.constantFrom(0, 0, 5, 1000),
})
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: anyUserEdit },
  {
    weight: 1,
    arbitrary: fc.record({ step: fc.constant('same' as const), path: fc.constantFrom('a', 'a/b', 'c') }),
  },
  { weight: 6, arbitrary: fc.record({ step: fc.constant('wait' as const), turns: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constantFrom('settle', 'restart') }) },
  {
    weight: 1,
    arbitrary: fc.record({ step: fc.constant('cut' as const), side: anySide, after: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('power loss' as const), age: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('fresh container' as const) }) },
)

const anySetting = (mode: Setting['mode']): fc.Arbitrary<Setting> =>
  fc.record({
    mode: fc.constant(mode),
    contact: fc.constantFrom(...firstContactsOf[mode]),
    skew: fc.constantFrom(0, 3, HOUR, -HOUR),
    tellsLate: fc.boolean(),
  })

/** What both sides are to hold where nothing is in conflict. */
function expectAgreement(play: Play, { mode }: Setting, conflicts: readonly Conflict[]): void {
  const [local, remote] = [play.local.listing(), play.remote.listing()]
  // What the side that changes come from lacks, or has otherwise, may be kept where it was made.
  const keeps: Side | undefined =
    mode === 'to-remote-safe' ? 'remote' : mode === 'to-local-safe' ? 'local' : undefined
  for (const path of new Set([...local.keys(), ...remote.keys()])) {
    if (conflicts.some((conflict) => isNear(path, conflict.path))) continue
    if (keeps !== undefined && play.isOwn(keeps, path)) continue
    expect([path, remote.get(path)]).toEqual([path, local.get(path)])
  }
  if (mode.startsWith('to-remote')) expect(local).toEqual(play.alone.local.listing())
  if (mode.startsWith('to-local')) expect(remote).toEqual(play.alone.remote.listing())
}

/** Nothing is gone that nobody gave up, but by a rule of the mode; and of what went here, there is the trash. */
function expectNothingLost({ oracle, found, trash }: Play): void {
  for (const { side, path, content } of oracle.missing(found)) {
    expect([path, content, oracle.mayBeLost(content, trash.has(content))]).toEqual([path, content, true])
    if (side === 'local') expect([path, trash.has(content)]).toEqual([path, true])
  }
}

async function perform(play: Play, setting: Setting, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await play.take(step)
    if (step.step === 'settle') expectNothingLost(play)
  }
  const { conflicts, problems } = await play.settle()
  expect(problems).toEqual([])
  expectAgreement(play, setting, conflicts)
  expectNothingLost(play)
  await play.restart()
  const again = await play.settle()
  expect(again.applied).toEqual({ local: 0, remote: 0 })
  expect(again.conflicts.length).toBe(conflicts.length)
}

describe('however edits, cuts, crashes and new containers come', () => {
  test.each(modes)(
    '%s: both sides come to what is allowed, nothing is lost, and a second run does nothing',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(
          anySetting(mode),
          fc.array(anyUserEdit, { maxLength: 6 }),
          fc.array(anyStep, { maxLength: 40, size: 'max' }),
          async (setting, before, steps) => {
            const play = new Play(setting)
            try {
              for (const step of before) await play.take(step)
              play.begin()
              await perform(play, setting, steps)
            } finally {
              await play.stop()
            }
          },
        ),
        { numRuns: Math.ceil(RUNS / modes.length), ...(KUBESYNC_RUNS === undefined && { seed: 1 }) },
      )
    },
    3_600_000,
  )
})
