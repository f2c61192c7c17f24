/**
 * The idea kubesync is built on: a three-way merge, kept going. What each side did since both last agreed
 * decides what happens, one cell of a table for each mode and pair. Nothing here knows what a state consists of.
 */

export const modes = [
  'two-way-safe',
  'two-way-local-wins',
  'two-way-remote-wins',
  'two-way-newest-wins',
  'to-remote-safe',
  'to-remote-mirror',
  'to-local-safe',
  'to-local-mirror',
] as const
/**
 * Which way changes travel, and what becomes of two that cannot both stand.
 * - `two-way-…`: both ways. `safe`: such changes wait as a conflict; else one of them wins.
 * - `to-remote-safe`: local is never written; what only remote has, or changed, is kept there.
 * - `to-remote-mirror`: local is never written, and remote is made equal: what it has more goes.
 * - `to-local-…`: the same the other way round.
 */
export type Mode = (typeof modes)[number]

export const firstContacts = ['merge', 'local', 'remote', 'newest', 'keep-both'] as const
/** What happens to what differs when two sides meet: it waits, one version wins, or both stay. */
export type FirstContact = (typeof firstContacts)[number]

/**
 * What holds where nothing was ever agreed on. `over`: first contact is behind, the mode decides. `seed`: the
 * remote side is new and stands in for another that was in sync, so local wins.
 */
export type Contact = FirstContact | 'seed' | 'over'

/** What a side did to what both had agreed on. `opaque`: it cannot be told. */
export type Change = 'unchanged' | 'modified' | 'replaced' | 'deleted' | 'opaque'

/** What a side has where nothing was agreed on. */
export type Arrival = 'absent' | 'created' | 'opaque'

/** What happens if both did something, and not the same. If they did the same, that is agreed on. */
export type Contest =
  /** It is a conflict. */
  | 'compare'
  | 'local-wins'
  | 'remote-wins'
  /** The version that was made last wins; it is a conflict if nobody can tell. */
  | 'newest-wins'
  /** Local's version stays where it is, remote's gets another name. */
  | 'keep-both'

export type Decision =
  | Contest
  /** Both hold the same, or both have nothing: that is agreed on now. */
  | 'agree'
  /** Remote becomes what local is: it is written, or deleted. */
  | 'to-remote'
  | 'to-local'
  /** Each side stays as it is, and that is no conflict. */
  | 'keep'

type Table<State extends string> = Readonly<Record<State, Readonly<Record<State, Decision>>>>

/** Rows are what local did, columns what remote did. An edit beats a deletion, whoever wins. */
function twoWay(contest: Contest): Table<Change> {
  // biome-ignore format: one row a line
  return {
    unchanged: { unchanged: 'agree',     modified: 'to-local', replaced: 'to-local', deleted: 'to-local',  opaque: 'keep' },
    modified:  { unchanged: 'to-remote', modified: contest,    replaced: contest,    deleted: 'to-remote', opaque: 'keep' },
    replaced:  { unchanged: 'to-remote', modified: contest,    replaced: contest,    deleted: 'to-remote', opaque: 'keep' },
    deleted:   { unchanged: 'to-remote', modified: 'to-local', replaced: 'to-local', deleted: 'agree',     opaque: 'keep' },
    opaque:    { unchanged: 'keep',      modified: 'keep',     replaced: 'keep',     deleted: 'keep',      opaque: 'keep' },
  }
}

// What remote changed is its own as long as local leaves that alone; what it lost comes back.
// biome-ignore format: one row a line
const toRemoteSafe: Table<Change> = {
  unchanged: { unchanged: 'agree',     modified: 'keep',    replaced: 'keep',    deleted: 'to-remote', opaque: 'keep' },
  modified:  { unchanged: 'to-remote', modified: 'compare', replaced: 'compare', deleted: 'to-remote', opaque: 'keep' },
  replaced:  { unchanged: 'to-remote', modified: 'compare', replaced: 'compare', deleted: 'to-remote', opaque: 'keep' },
  deleted:   { unchanged: 'to-remote', modified: 'keep',    replaced: 'keep',    deleted: 'agree',     opaque: 'keep' },
  opaque:    { unchanged: 'keep',      modified: 'keep',    replaced: 'keep',    deleted: 'keep',      opaque: 'keep' },
}

// biome-ignore format: one row a line
const toRemoteMirror: Table<Change> = {
  unchanged: { unchanged: 'agree',     modified: 'to-remote',  replaced: 'to-remote',  deleted: 'to-remote', opaque: 'keep' },
  modified:  { unchanged: 'to-remote', modified: 'local-wins', replaced: 'local-wins', deleted: 'to-remote', opaque: 'keep' },
  replaced:  { unchanged: 'to-remote', modified: 'local-wins', replaced: 'local-wins', deleted: 'to-remote', opaque: 'keep' },
  deleted:   { unchanged: 'to-remote', modified: 'to-remote',  replaced: 'to-remote',  deleted: 'agree',     opaque: 'keep' },
  opaque:    { unchanged: 'keep',      modified: 'keep',       replaced: 'keep',       deleted: 'keep',      opaque: 'keep' },
}

const opposite: Readonly<Record<Decision, Decision>> = {
  agree: 'agree',
  keep: 'keep',
  compare: 'compare',
  'to-remote': 'to-local',
  'to-local': 'to-remote',
  'local-wins': 'remote-wins',
  'remote-wins': 'local-wins',
  'newest-wins': 'newest-wins',
  'keep-both': 'keep-both',
}

const changes: Readonly<Record<Mode, Table<Change>>> = {
  'two-way-safe': twoWay('compare'),
  'two-way-local-wins': twoWay('local-wins'),
  'two-way-remote-wins': twoWay('remote-wins'),
  'two-way-newest-wins': twoWay('newest-wins'),
  'to-remote-safe': toRemoteSafe,
  'to-remote-mirror': toRemoteMirror,
  'to-local-safe': turnedRound(toRemoteSafe),
  'to-local-mirror': turnedRound(toRemoteMirror),
}

/** What happens to what only one side has, where nothing was agreed on. */
const alone: Readonly<Record<Mode, Readonly<Record<'local' | 'remote', Decision>>>> = {
  'two-way-safe': { local: 'to-remote', remote: 'to-local' },
  'two-way-local-wins': { local: 'to-remote', remote: 'to-local' },
  'two-way-remote-wins': { local: 'to-remote', remote: 'to-local' },
  'two-way-newest-wins': { local: 'to-remote', remote: 'to-local' },
  'to-remote-safe': { local: 'to-remote', remote: 'keep' },
  'to-remote-mirror': { local: 'to-remote', remote: 'to-remote' },
  'to-local-safe': { local: 'keep', remote: 'to-local' },
  'to-local-mirror': { local: 'to-local', remote: 'to-local' },
}

const policies = {
  merge: 'compare',
  local: 'local-wins',
  remote: 'remote-wins',
  newest: 'newest-wins',
  'keep-both': 'keep-both',
  seed: 'local-wins',
} as const satisfies Record<Exclude<Contact, 'over'>, Contest>
const waits = {
  merge: 'compare',
  local: 'compare',
  remote: 'compare',
  newest: 'compare',
  'keep-both': 'compare',
} as const

/** What happens to what both sides have, where nothing was agreed on. The side that is not written cannot lose. */
const met: Readonly<Record<Mode, Readonly<Record<Contact, Contest>>>> = {
  'two-way-safe': { ...policies, over: 'compare' },
  'two-way-local-wins': { ...policies, over: 'local-wins' },
  'two-way-remote-wins': { ...policies, over: 'remote-wins' },
  'two-way-newest-wins': { ...policies, over: 'newest-wins' },
  'to-remote-safe': { ...waits, local: 'local-wins', seed: 'local-wins', over: 'compare' },
  'to-remote-mirror': always('local-wins'),
  'to-local-safe': { ...waits, remote: 'remote-wins', seed: 'compare', over: 'compare' },
  'to-local-mirror': always('remote-wins'),
}

function always(contest: Contest): Readonly<Record<Contact, Contest>> {
  return {
    ...{ merge: contest, local: contest, remote: contest, newest: contest, 'keep-both': contest },
    ...{ seed: contest, over: contest },
  }
}

/** What happens where something was agreed on before. */
export function decideChange(mode: Mode, local: Change, remote: Change): Decision {
  return changes[mode][local][remote]
}

/** The mode, and what the two sides mean to each other, where nothing was agreed on. */
export interface Meeting {
  readonly mode: Mode
  readonly contact: Contact
}

/** What happens where nothing was agreed on. */
export function decideArrival({ mode, contact }: Meeting, local: Arrival, remote: Arrival): Decision {
  if (local === 'opaque' || remote === 'opaque') return 'keep'
  if (local === 'absent') return remote === 'absent' ? 'agree' : alone[mode].remote
  return remote === 'absent' ? alone[mode].local : met[mode][contact]
}

function turnedRound(table: Table<Change>): Table<Change> {
  const row = (local: Change) => ({
    unchanged: opposite[table.unchanged[local]],
    modified: opposite[table.modified[local]],
    replaced: opposite[table.replaced[local]],
    deleted: opposite[table.deleted[local]],
    opaque: opposite[table.opaque[local]],
  })
  return {
    unchanged: row('unchanged'),
    modified: row('modified'),
    replaced: row('replaced'),
    deleted: row('deleted'),
    opaque: row('opaque'),
  }
}
