import { errnoOf } from '../../errors.ts'
import { nameOf, parentOf } from '../path.ts'
import type { Digest } from '../tree.ts'
import { DirCursor } from './dir-cursor.ts'
import { hashFile } from './hash.ts'
import { Pace } from './pace.ts'
import type { HashRequest } from './replica.ts'
import type { Site } from './site.ts'

/** The digests of files as they were at their stamps; undefined where that is not, or cannot be read. */
export async function hashAll(site: Site, requests: readonly HashRequest[]): Promise<(Digest | undefined)[]> {
  const cursor = new DirCursor()
  const pace = new Pace()
  const digests: (Digest | undefined)[] = []
  const hash = async ({ path, stamp }: HashRequest): Promise<Digest | undefined> => {
    try {
      const dir = cursor.open(site.root?.dir, parentOf(path))
      const digest = hashFile(dir, { name: nameOf(path), stamp }, pace)
      if (digest instanceof Promise) cursor.release()
      return await digest
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }
  try {
    for (const request of requests) {
      const digest = await hash(request)
      digests.push(digest)
      if (digest === undefined) site.suspect(request.path)
      else site.holding.learn(request.path, request.stamp, digest)
      if (pace.due) {
        cursor.release()
        await pace.rest()
      }
    }
  } finally {
    cursor.release()
  }
  return digests
}
