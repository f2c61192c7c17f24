import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openSession } from '../../session.ts'
import { isMap, type Json, type JsonMap } from '../../value.ts'
import { keepInStep } from '../keep.ts'
import type { KeepOptions, KeepStatus } from '../status.ts'
import { FakeClient, FakeCluster } from './fake-cluster.ts'

export const configMap = (name: string) => `/api/v1/namespaces/a/configmaps/${name}`

/** A ConfigMap as a person writes it. */
export function manifest(name: string, data: Readonly<Record<string, string>>): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: "${value}"\n`)
  return `# mine\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${lines.join('')}`
}

/** A change of some of an object's fields. */
export function change(fields: JsonMap): (object: JsonMap) => JsonMap {
  return (object) => ({
    ...object,
    ...Object.fromEntries(
      Object.entries(fields).map(([key, value]) => {
        const before = object[key]
        return [key, isMap(value) && isMap(before) ? { ...before, ...value } : value]
      }),
    ),
  })
}

/** A folder and a cluster that are kept in step as users have it, with real watches, for as long as a test runs. */
export class Kept {
  readonly cluster = new FakeCluster()
  readonly root = mkdtempSync(join(tmpdir(), 'kubesync-keep-'))

  constructor(files: Readonly<Record<string, string>>) {
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }))
    for (const [file, text] of Object.entries(files)) this.write(file, text)
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true })
    writeFileSync(join(this.root, file), text)
  }

  remove(file: string): void {
    rmSync(join(this.root, file))
  }

  read(file: string): string | undefined {
    return existsSync(join(this.root, file)) ? readFileSync(join(this.root, file), 'utf8') : undefined
  }

  /** Of a ConfigMap in the cluster. */
  data(name: string): Json | undefined {
    return this.cluster.objects.get(configMap(name))?.data
  }

  /** How often something was written to the cluster by us. */
  get writes(): number {
    return this.cluster.history.filter(({ manager }) => manager === 'kubesync').length
  }

  async start(policy: Partial<KeepOptions> = {}, state = '.state') {
    const session = await openSession({
      ...{
        client: new FakeClient(this.cluster),
        root: this.root,
        state: join(this.root, state),
        secrets: 'leave-out',
      },
    })
    const end = new AbortController()
    const waiting = new Set<() => void>()
    const told: KeepStatus[] = []
    const keeping = keepInStep(session, {
      ...{ mode: 'two-way', onConflict: 'ask', onDeletion: 'ask', mayWriteCluster: true, ...policy },
      signal: end.signal,
      onStatus: (status) => {
        told.push(status)
        for (const check of waiting) check()
      },
    })
    onTestFinished(async () => {
      end.abort()
      await keeping.done
    })
    /** The first status for which something holds, from now on. */
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
    const inStep = () => until(({ state }) => state === 'in-step')
    return { ...keeping, session, told, until, inStep }
  }
}
