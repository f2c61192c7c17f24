/**
 * The idea kubesync is built on: a three-way merge, kept going. What each side did since both last agreed
 * decides what happens, one cell of a table for each pair. Nothing here knows what a state consists of.
 */

/** Which way changes travel. */
export type Direction = 'two-way' | 'to-remote' | 'to-local'

/** What happens to what differs where nothing was ever agreed on; `seed` means that local wins. */
export type Contact = 'merge' | 'seed'

/** What a side did to what both had agreed on. `opaque`: it cannot be told. */
export type Change = 'unchanged' | 'modified' | 'replaced' | 'deleted' | 'opaque'

/** What a side has where nothing was agreed on. */
export type Arrival = 'absent' | 'created' | 'opaque'

export type Decision =
  /** Both hold the same, or both have nothing: that is agreed on now. */
  | 'agree'
  /** Remote becomes what local is: it is written, or deleted. */
  | 'to-remote'
  | 'to-local'
  /** If both did the same, that is agreed on; if not, it is a conflict. */
  | 'compare'
  /** If both did the same, that is agreed on; if not, remote becomes what local is. */
  | 'local-wins'
  /** Each side stays as it is, and that is no conflict. */
  | 'keep'

type Table<State extends string> = Readonly<Record<State, Readonly<Record<State, Decision>>>>

/** Rows are what local did, columns what remote did. An edit beats a deletion. */
const changes: Readonly<Record<'two-way' | 'to-remote', Table<Change>>> = {
  // biome-ignore format: one row a line
  'two-way': {
    unchanged: { unchanged: 'agree',     modified: 'to-local', replaced: 'to-local', deleted: 'to-local',  opaque: 'keep' },
    modified:  { unchanged: 'to-remote', modified: 'compare',  replaced: 'compare',  deleted: 'to-remote', opaque: 'keep' },
    replaced:  { unchanged: 'to-remote', modified: 'compare',  replaced: 'compare',  deleted: 'to-remote', opaque: 'keep' },
    deleted:   { unchanged: 'to-remote', modified: 'to-local', replaced: 'to-local', deleted: 'agree',     opaque: 'keep' },
    opaque:    { unchanged: 'keep',      modified: 'keep',     replaced: 'keep',     deleted: 'keep',      opaque: 'keep' },
  },
  // What remote changed is its own as long as local leaves that alone; what it lost comes back.
  // biome-ignore format: one row a line
  'to-remote': {
    unchanged: { unchanged: 'agree',     modified: 'keep',    replaced: 'keep',    deleted: 'to-remote', opaque: 'keep' },
    modified:  { unchanged: 'to-remote', modified: 'compare', replaced: 'compare', deleted: 'to-remote', opaque: 'keep' },
    replaced:  { unchanged: 'to-remote', modified: 'compare', replaced: 'compare', deleted: 'to-remote', opaque: 'keep' },
    deleted:   { unchanged: 'to-remote', modified: 'keep',    replaced: 'keep',    deleted: 'agree',     opaque: 'keep' },
    opaque:    { unchanged: 'keep',      modified: 'keep',    replaced: 'keep',    deleted: 'keep',      opaque: 'keep' },
  },
}

const arrivals: Readonly<Record<'two-way' | 'to-remote', Readonly<Record<Contact, Table<Arrival>>>>> = {
  'two-way': {
    // biome-ignore format: one row a line
    merge: {
      absent:  { absent: 'agree',     created: 'to-local',   opaque: 'keep' },
      created: { absent: 'to-remote', created: 'compare',    opaque: 'keep' },
      opaque:  { absent: 'keep',      created: 'keep',       opaque: 'keep' },
    },
    // biome-ignore format: one row a line
    seed: {
      absent:  { absent: 'agree',     created: 'to-local',   opaque: 'keep' },
      created: { absent: 'to-remote', created: 'local-wins', opaque: 'keep' },
      opaque:  { absent: 'keep',      created: 'keep',       opaque: 'keep' },
    },
  },
  'to-remote': {
    // biome-ignore format: one row a line
    merge: {
      absent:  { absent: 'agree',     created: 'keep',       opaque: 'keep' },
      created: { absent: 'to-remote', created: 'compare',    opaque: 'keep' },
      opaque:  { absent: 'keep',      created: 'keep',       opaque: 'keep' },
    },
    // biome-ignore format: one row a line
    seed: {
      absent:  { absent: 'agree',     created: 'keep',       opaque: 'keep' },
      created: { absent: 'to-remote', created: 'local-wins', opaque: 'keep' },
      opaque:  { absent: 'keep',      created: 'keep',       opaque: 'keep' },
    },
  },
}

/** What happens where something was agreed on before. */
export function decideChange(direction: Direction, local: Change, remote: Change): Decision {
  if (direction === 'to-local') return mirrored(changes['to-remote'][remote][local])
  return changes[direction][local][remote]
}

/** The direction, and what the two sides mean to each other, where nothing was agreed on. */
export interface Meeting {
  readonly direction: Direction
  readonly contact: Contact
}

/** What happens where nothing was agreed on. */
export function decideArrival({ direction, contact }: Meeting, local: Arrival, remote: Arrival): Decision {
  // Seeding writes to remote only, which is what `to-local` never does.
  if (direction === 'to-local') return mirrored(arrivals['to-remote'].merge[remote][local])
  return arrivals[direction][contact][local][remote]
}

function mirrored(decision: Decision): Decision {
  if (decision === 'to-remote') return 'to-local'
  return decision === 'to-local' ? 'to-remote' : decision
}
