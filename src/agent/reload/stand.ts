import type { View } from '../container.ts'

/** Where an agent finds containers, and from where it looks. */
export interface Stand {
  readonly proc: string
  readonly view: View
  /** New containers are held. A strict agent does not: what is held is in no pod's status, and so nobody could prove a right. */
  readonly holds: boolean
}
