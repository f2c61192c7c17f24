import type { FirstContact, Mode } from '../merge/decide.ts'
import type { Side } from './side.ts'

export { type Contact, type FirstContact, firstContacts, type Mode, modes } from '../merge/decide.ts'

/** What a mode may be told of first contact, its default first. A side that is never written cannot lose. */
export const firstContactsOf: Readonly<Record<Mode, readonly [FirstContact, ...FirstContact[]]>> = {
  'two-way-safe': ['merge', 'local', 'remote', 'newest', 'keep-both'],
  'two-way-local-wins': ['local', 'merge', 'remote', 'newest', 'keep-both'],
  'two-way-remote-wins': ['remote', 'merge', 'local', 'newest', 'keep-both'],
  'two-way-newest-wins': ['newest', 'merge', 'local', 'remote', 'keep-both'],
  'to-remote-safe': ['merge', 'local'],
  'to-remote-mirror': ['local'],
  'to-local-safe': ['merge', 'remote'],
  'to-local-mirror': ['remote'],
}

/** What holds for first contact in a mode: what was asked for, if it can. */
export function firstContactIn(mode: Mode, asked: FirstContact | undefined): FirstContact {
  const possible = firstContactsOf[mode]
  return possible.find((policy) => policy === asked) ?? possible[0]
}

const written: Readonly<Record<Mode, readonly Side[]>> = {
  'two-way-safe': ['local', 'remote'],
  'two-way-local-wins': ['local', 'remote'],
  'two-way-remote-wins': ['local', 'remote'],
  'two-way-newest-wins': ['local', 'remote'],
  'to-remote-safe': ['remote'],
  'to-remote-mirror': ['remote'],
  'to-local-safe': ['local'],
  'to-local-mirror': ['local'],
}

/** Whether a mode ever writes to a side. */
export function writesTo(mode: Mode, side: Side): boolean {
  return written[mode].includes(side)
}
