import { textAt } from './cells.ts'
import { ageOf } from './duration.ts'
import { at, type KubeObject } from './object.ts'
import { count } from './values.ts'

/** A column of a server-side table. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 1 for those that are shown only with `-o wide`. */
  readonly priority?: number
  readonly cell: (object: KubeObject, now: Date) => unknown
}

type Cell = Column['cell']

export const column = (name: string, cell: Cell): Column => ({ name, type: 'string', cell })
export const number = (name: string, path: string): Column => ({
  name,
  type: 'integer',
  cell: (object) => count(at(object, ...path.split('.'))),
})
export const said = (name: string, path: string, none = '<none>'): Column =>
  column(name, (object) => textAt(object, path) || none)
export const wide = (one: Column): Column => ({ ...one, priority: 1 })

export const name: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: ({ metadata }) => metadata.name,
}
export const age = column('Age', ({ metadata }, now) => ageOf(metadata.creationTimestamp, now))
/** What a server shows of kinds it has no columns for. */
export const plain: readonly Column[] = [
  name,
  { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp },
]
