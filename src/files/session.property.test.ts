import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BaseStore } from './base/store.ts'
import { openBaseStore } from './base/store.ts'
import type { Contact } from './mode.ts'
import type { Session } from './session.ts'
import { startSession } from './session.ts'
import type { Side } from './side.ts'
import type { SessionStatus } from './status.ts'
import { anyEdit } from './testing/edits.ts'
import { FakeReplica } from './testing/fake-replica.ts'
import type { Edit } from './testing/memory-files.ts'
import { MemoryFiles } from './testing/memory-files.ts'
import type { Path } from './tree.ts'

type Step =
  | { readonly step: 'edit'; readonly side: Side; readonly edit: Edit }
  /** Turns of the event loop go by. */
  | { readonly step: 'wait'; readonly turns: number }
  | { readonly step: 'settle' | 'restart' | 'fresh container' }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      step: fc.constant('edit' as const),
      side: fc.constantFrom<Side>('local', 'remote'),
      edit: anyEdit,
    }),
  },
  { weight: 6, arbitrary: fc.record({ step: fc.constant('wait' as const), turns: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constantFrom('settle', 'restart') }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('fresh container' as const) }) },
)

/** A user, a container and a session between them, which may be cut off anywhere. */
class Play {
  readonly local = new FakeReplica(new MemoryFiles(0))
  remote = new FakeReplica(new MemoryFiles(1_000_000))
  /** The last thing that anybody did at a path, where that was to write this. */
  readonly claims = new Map<Path, { readonly side: Side; readonly content: string }>()
  private readonly directory: string
  private base: BaseStore | undefined
  private session: Session | undefined
  private containers = 0
  private writes = 0
  private readonly tellsLate: boolean

  constructor(directory: string, tellsLate: boolean) {
    this.directory = directory
    this.tellsLate = tellsLate
    this.beginContainer(this.remote.files, 'merge')
  }

  async take(step: Step): Promise<void> {
    if (step.step === 'edit') this.edit(step.side, step.edit)
    else if (step.step === 'wait') for (let i = 0; i < step.turns; i++) await turn()
    else if (step.step === 'settle') await this.settle()
    else if (step.step === 'restart') await this.restart()
    else await this.replaceContainer()
  }

  async settle(): Promise<SessionStatus> {
    this.local.scan()
    this.remote.scan()
    for (let i = 0; i < 10; i++) {
      const status = await this.running.settled()
      if (status.phase === 'in-sync') return status
      this.running.resume()
    }
    throw new Error('never in sync')
  }

  async restart(): Promise<void> {
    await this.stop()
    this.start()
  }

  async stop(): Promise<void> {
    await this.session?.stop()
    this.base?.close()
  }

  private get running(): Session {
    if (this.session === undefined) throw new Error('not started')
    return this.session
  }

  private edit(side: Side, edit: Edit): void {
    this.writes++
    const done = edit.do === 'write' ? { ...edit, content: `${edit.content}${this.writes}` } : edit
    this[side].edit(done)
    if (edit.do === 'chmod' || edit.do === 'touch') return
    for (const path of this.claims.keys()) if (isNear(path, edit.path)) this.claims.delete(path)
    // What somebody writes into a container that is being seeded may be taken for the image's.
    const isSeeding = side === 'remote' && this.base?.firstContact === 'seed'
    if (done.do === 'write' && !isSeeding) this.claims.set(edit.path, { side, content: done.content })
  }

  private async replaceContainer(): Promise<void> {
    await this.stop()
    // What was only in the old container is gone with it.
    for (const [path, { content }] of this.claims) {
      if (!has(this.local, path, content)) this.claims.delete(path)
    }
    const image = new MemoryFiles(10_000_000 * ++this.containers)
    image.edit({ do: 'write', path: 'a/b', content: 'of the image' })
    image.edit({ do: 'write', path: 'c', content: 'of the image' })
    this.beginContainer(image, 'seed')
  }

  private beginContainer(files: MemoryFiles, contact: Contact): void {
    this.remote = new FakeReplica(files)
    this.local.tellsLate = this.tellsLate
    this.remote.tellsLate = this.tellsLate
    const base = openBaseStore(join(this.directory, 'base'))
    const container = `${this.containers}`
    base.reset({ container, localRoot: '', remoteRoot: '', storage: '' }, contact)
    base.close()
    this.start()
  }

  private start(): void {
    this.base = openBaseStore(join(this.directory, 'base'))
    const { local, remote, base } = this
    this.session = startSession({ local, remote, base, mode: 'two-way-safe', settleMs: 1 })
  }
}

function has({ files }: FakeReplica, path: Path, content: string): boolean {
  return files.listing().get(path)?.replace(/ \*$/, '') === `file ${content}`
}

function isNear(a: Path, b: Path): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const anyPlay = fc.record({
  tellsLate: fc.boolean(),
  steps: fc.array(anyStep, { maxLength: 60, size: 'max' }),
})
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

test('however edits, cuts and new containers come: both sides become equal, and nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(anyPlay, async ({ tellsLate, steps }) => {
      const directory = mkdtempSync(join(scratch, 'play-'))
      const play = new Play(directory, tellsLate)
      try {
        for (const step of steps) await play.take(step)
        const { conflicts, problems } = await play.settle()
        expect(problems).toEqual([])
        const [local, remote] = [play.local.files.listing(), play.remote.files.listing()]
        for (const path of new Set([...local.keys(), ...remote.keys()])) {
          if (conflicts.some((conflict) => isNear(path, conflict.path))) continue
          expect([path, remote.get(path)]).toEqual([path, local.get(path)])
        }
        for (const [path, { content }] of play.claims) {
          const kept = has(play.local, path, content) || has(play.remote, path, content)
          expect(kept, `${path}: ${content}`).toBe(true)
        }
        await play.restart()
        const again = await play.settle()
        expect(again.applied).toEqual({ local: 0, remote: 0 })
        expect(again.conflicts.length).toBe(conflicts.length)
      } finally {
        await play.stop()
        rmSync(directory, { recursive: true })
      }
    }),
    { numRuns: 200, interruptAfterTimeLimit: 15_000 },
  )
})
