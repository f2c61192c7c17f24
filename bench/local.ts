// Two local directories, without Kubernetes: what the engine itself takes. `node bench/run.mjs local [FILES] [BYTES]`
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bindBase } from '../src/files/base/bind.ts'
import { openBaseStore } from '../src/files/base/store.ts'
import { openLocalReplica } from '../src/files/replica/local.ts'
import { startSession } from '../src/files/session.ts'
import { makeTree } from '../test/e2e/support/trees.ts'

const [files = 20_000, bytes = 260e6] = process.argv.slice(2).map(Number)
const scratch = mkdtempSync('/dev/shm/kubesync-bench-')
const [from, to] = [join(scratch, 'from'), join(scratch, 'to')]

async function sync(what: string): Promise<void> {
  const started = performance.now()
  const [local, remote] = await Promise.all([openLocalReplica(from), openLocalReplica(to)])
  const base = openBaseStore(join(scratch, 'state/base'))
  bindBase(base, { container: 'none', local: local.info, remote: remote.info, isSuccessor: false })
  const session = startSession({ local, remote, base, mode: 'two-way-safe' })
  const { entries } = await session.settled()
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(2)} s, ${entries.remote} entries`)
  await session.stop()
  await Promise.all([local.close(), remote.close()])
  base.close()
}

try {
  makeTree(from, { files, bytes, seed: 1 })
  mkdirSync(to)
  await sync('first sync')
  await sync('again, unchanged')
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
