/**
 * Which way changes travel. `safe` means that what cannot be decided waits as a conflict:
 * - `two-way-safe`: both ways.
 * - `to-remote-safe`: local is never written; what only remote has, or changed, is kept there.
 * - `to-local-safe`: the same the other way round.
 */
export const modes = ['two-way-safe', 'to-remote-safe', 'to-local-safe'] as const
export type Mode = (typeof modes)[number]

/**
 * What happens to paths that differ when the two sides meet without a base.
 * - `merge`: what only one side has is created on the other, what differs waits as a conflict.
 * - `seed`: the remote side is a fresh container of a spec that was in sync before: local wins.
 */
export type FirstContact = 'merge' | 'seed'
