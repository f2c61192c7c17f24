import type { Outcome } from '../operation.ts'
import { type Digest, withDigest } from '../tree.ts'
import { hashAll } from './hash-all.ts'
import type { Site } from './site.ts'

type Done = Extract<Outcome, { result: 'done' }>

/**
 * What became of a file that was published for its tag, once its digest is known.
 * @param told what the sender said; if it did not, what is here is read
 */
export async function vouched(site: Site, outcome: Done, told: Digest | undefined): Promise<Outcome> {
  const { path, entry } = outcome
  if (entry?.kind !== 'file') return outcome
  const { stamp } = entry
  const [digest] = told === undefined ? await hashAll(site, [{ path, stamp }]) : [told]
  // What it became since was told of already, and was to be undone by a word of what it was before.
  const isStill = digest !== undefined && site.holding.learn(path, stamp, digest)
  return isStill ? { result: 'done', path, entry: withDigest(entry, digest) } : { result: 'stale', path }
}
