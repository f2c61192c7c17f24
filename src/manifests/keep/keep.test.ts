import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSession } from '../session.ts'
import type { JsonMap } from '../value.ts'
import { keepInStep } from './keep.ts'
import type { KeepOptions, KeepStatus } from './status.ts'
import { FakeClient, FakeCluster } from './testing/fake-cluster.ts'

const path = (name: string) => `/api/v1/namespaces/a/configmaps/${name}`

function manifest(name: string, data: string): string {
  return `# mine\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${data}`
}

const withData = (data: JsonMap) => (object: JsonMap) => ({
  ...object,
  data: { ...(object.data as JsonMap), ...data },
})

/** A folder, a cluster, and what is said while they are kept. */
async function world(files: Readonly<Record<string, string>>, policy: Partial<KeepOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'kubesync-keep-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const write = (name: string, text: string) => writeFileSync(join(root, name), text)
  for (const [name, text] of Object.entries(files)) write(name, text)
  const cluster = new FakeCluster()
  const start = async () => {
    const session = await openSession({
      client: new FakeClient(cluster),
      root,
      state: join(root, '.state'),
      secrets: 'encrypt',
    })
    const end = new AbortController()
    const waiting = new Set<() => void>()
    const keeping = keepInStep(session, {
      ...{ mode: 'two-way', onConflict: 'ask', onDeletion: 'ask', mayWriteCluster: true, ...policy },
      signal: end.signal,
      onStatus: () => {
        for (const check of waiting) check()
      },
    })
    onTestFinished(async () => {
      end.abort()
      await keeping.done
    })
    const until = (holds: (status: KeepStatus) => boolean) =>
      new Promise<KeepStatus>((resolve) => {
        const check = () => {
          if (!holds(keeping.status())) return
          waiting.delete(check)
          resolve(keeping.status())
        }
        waiting.add(check)
        check()
      })
    return { ...keeping, until, session }
  }
  const read = (name: string) => readFileSync(join(root, name), 'utf8')
  const data = (name: string) => cluster.objects.get(path(name))?.data
  return { root, cluster, write, read, data, start }
}

test('an edit here goes there, an edit there comes here, and nothing else is written', async () => {
  const { cluster, write, read, data, start } = await world({ 'a.yaml': manifest('one', '  k: "1"\n') })
  const { until } = await start()
  await until(({ writes }) => writes.cluster === 1)
  expect(data('one')).toEqual({ k: '1' })
  write('a.yaml', manifest('one', '  k: "2" # why\n'))
  await until(({ writes }) => writes.cluster === 2)
  expect(data('one')).toEqual({ k: '2' })
  cluster.edit(path('one'), 'kubectl-edit', withData({ k: '3' }))
  const status = await until(({ writes }) => writes.files === 1)
  expect(read('a.yaml')).toBe(manifest('one', '  k: "3" # why\n'))
  expect(status).toMatchObject({
    state: 'in-step',
    writes: { files: 1, cluster: 2 },
    conflicts: [],
    problems: [],
  })
})
