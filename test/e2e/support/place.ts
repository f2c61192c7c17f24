import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, test } from 'vitest'
import type { Place } from './global.ts'

/** What a test may need that not every place can show; in words, why one that cannot does not run it. */
const reasons = {
  images: 'no images there: a container starts as an empty directory',
  users: 'no users there: every container runs as the one who started it',
  readOnlyRoot: 'no read-only filesystems there',
  isolation: 'no isolation there: an absolute path of a process is the machine’s',
  apiServer: 'its API server is not ours to stop',
  faults: 'nothing breaks on demand there',
  ephemeral: 'no ephemeral containers there',
  processes: 'its processes are another machine’s',
  aggregation: 'no aggregated APIs there',
  rights: 'nobody’s rights are checked there',
  mounts: 'nothing can be mounted there, or by this user',
  terminal: 'this machine has no `script` of util-linux to make a terminal with',
} as const

type Capability = keyof typeof reasons

interface Powers {
  readonly can: ReadonlySet<Capability>
  /** What is a lot there. */
  readonly bulk: { readonly files: number; readonly bytes: number; readonly largeMiB: number }
  /** How long `init` is to try with an image that is not there; a node tries again and again before it gives up. */
  readonly pull: string
  /** What takes long enough to be interrupted. */
  readonly transfer: { readonly files: number; readonly bytes: number }
}

const onCluster = {
  bulk: { files: 20_000, bytes: 260_000_000, largeMiB: 1024 },
  pull: '60s',
  transfer: { files: 3000, bytes: 60_000_000 },
}

const places: Readonly<Record<Place, Powers>> = {
  sandbox: {
    can: new Set(['apiServer', 'faults', 'mounts', 'ephemeral', 'processes']),
    bulk: { files: 4000, bytes: 50_000_000, largeMiB: 512 },
    pull: '3s',
    transfer: { files: 1000, bytes: 20_000_000 },
  },
  cluster: {
    can: new Set([
      'images',
      'users',
      'readOnlyRoot',
      'isolation',
      'apiServer',
      'rights',
      'processes',
      'aggregation',
    ]),
    ...onCluster,
  },
  given: {
    can: new Set(['images', 'users', 'readOnlyRoot', 'isolation', 'rights', 'aggregation']),
    ...onCluster,
  },
}

export const { place } = inject('e2e')
export const { bulk, pull, transfer } = places[place]

/** A test of what not every place can show; elsewhere it is skipped, and its name says why. */
export function testWith(...needed: Capability[]): (name: string, body: () => Promise<void>) => void {
  const missing = needed.find((capability) => !has(capability))
  if (missing === undefined) return test
  return (name) => test.skip(`${name} (${place}: ${reasons[missing]})`, () => {})
}

export function has(capability: Capability): boolean {
  if (capability === 'terminal') return canOpenTerminal()
  return places[place].can.has(capability) && (capability !== 'mounts' || canMount())
}

/** A try tells: root may not mount in every container. */
export function canMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'kubesync-e2e-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', at]).status === 0
  if (mounted) spawnSync('umount', [at])
  rmdirSync(at)
  return mounted
}

/** BSD's `script` takes other options. */
function canOpenTerminal(): boolean {
  return spawnSync('script', ['-qfec', 'true', '/dev/null']).status === 0
}
