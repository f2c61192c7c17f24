import type { Plan } from './plan.ts'
import type { HashRequest, Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import type { Digest, Path, Stamp } from './tree.ts'

/** Small enough that what is known early is used early. */
const BATCH = 1_000

/** What was found out of some paths. A side has no digest of a file that changed since it was asked for. */
export interface Hashed {
  readonly paths: readonly Path[]
  readonly digests: readonly { side: Side; path: Path; stamp: Stamp; digest: Digest | undefined }[]
}

/** The paths whose digests a plan needs. */
export function pathsToHash({ needs }: Plan): Path[] {
  return [...new Set([...needs.local, ...needs.remote].map(({ path }) => path))]
}

/** Has both sides hash what a plan needs. Never rejects: a replica that fails knows no digests. */
export async function* hashAll(
  plan: Plan,
  replicas: Readonly<Record<Side, Replica>>,
): AsyncGenerator<Hashed> {
  const paths = pathsToHash(plan)
  const requests = { local: byPath(plan.needs.local), remote: byPath(plan.needs.remote) }
  for (let start = 0; start < paths.length; start += BATCH) {
    const batch = paths.slice(start, start + BATCH)
    const digests = await Promise.all(
      (['local', 'remote'] as const).map(async (side) => {
        const wanted = batch.flatMap((path) => requests[side].get(path) ?? [])
        const found = wanted.length === 0 ? [] : await replicas[side].hash(wanted).catch(() => [])
        return wanted.map(({ path, stamp }, index) => ({ side, path, stamp, digest: found[index] }))
      }),
    )
    yield { paths: batch, digests: digests.flat() }
  }
}

function byPath(requests: readonly HashRequest[]): Map<Path, HashRequest> {
  return new Map(requests.map((request) => [request.path, request]))
}
