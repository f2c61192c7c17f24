import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Session } from '../../session.ts'
import { openSession } from '../../session.ts'
import { surveyFolder } from '../../survey/folder.ts'
import { isMap, type JsonMap } from '../../value.ts'
import { parseYaml } from '../../yaml/parse.ts'
import { type Following, openFollowing } from '../follow.ts'
import { type Answer, keyOf, nothing } from '../memory.ts'
import { type Passed, pass } from '../pass.ts'
import type { KeepPolicy, KeepSide } from '../status.ts'
import { Crash, Mortal } from './crash.ts'
import { FakeClient, FakeCluster } from './fake-cluster.ts'

/** A folder for a test. */
export class Folder {
  readonly root = mkdtempSync(join(tmpdir(), 'kubesync-keep-'))

  read(file: string): string {
    return existsSync(join(this.root, file)) ? readFileSync(join(this.root, file), 'utf8') : ''
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true })
    writeFileSync(join(this.root, file), text)
  }

  edit(file: string, change: (text: string) => string): void {
    const before = this.read(file)
    if (before !== '') this.write(file, change(before))
  }

  /** All objects in readable files, by name. */
  objects(): Map<string, JsonMap> {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /^[^.].*\.yaml$/.test(name),
    )
    const values = names.flatMap((name) => parseYaml(this.read(name)).map(({ value }) => value)).filter(isMap)
    return new Map(values.map((value) => [String(isMap(value.metadata) ? value.metadata.name : ''), value]))
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** A folder, a cluster, and a clock, for as long as a test runs. */
export function newStage() {
  const folder = new Folder()
  onTestFinished(() => folder.remove())
  let clock = 1_800_000_000_000
  const tick = (milliseconds: number) => {
    clock += milliseconds
  }
  return { folder, cluster: new FakeCluster(), now: () => clock, tick }
}

/** A process that keeps a folder, one pass at a time, and that can be killed and started again. */
export class Daemon {
  readonly #folder: Folder
  readonly #cluster: FakeCluster
  readonly #policy: KeepPolicy
  readonly #now: () => number
  #life: { session: Session; following: Following; mortal: Mortal; passed: Passed | undefined } | undefined

  constructor(stage: { folder: Folder; cluster: FakeCluster; now: () => number }, policy: KeepPolicy) {
    this.#folder = stage.folder
    this.#cluster = stage.cluster
    this.#now = stage.now
    this.#policy = policy
  }

  get last(): Passed | undefined {
    return this.#life?.passed
  }

  /** Looks once, and does what there is to do; after so many steps it dies. */
  async pass(answers: ReadonlyMap<string, Answer> = new Map(), steps?: number): Promise<Passed | undefined> {
    try {
      if (steps !== undefined) this.kill()
      this.#life ??= await this.#start(new Mortal(steps))
      const { session, following, passed } = this.#life
      const folder = await surveyFolder(session, ['.'])
      const memory = passed?.memory ?? nothing
      this.#life.passed = await pass(session, {
        sight: { folder, following, unsettled: new Set(), bringsNew: true, layout: undefined },
        policy: this.#policy,
        memory: { ...memory, answers: new Map([...memory.answers, ...answers]) },
        signal: new AbortController().signal,
        now: this.#now(),
      })
      return this.#life.passed
    } catch (error) {
      if (error instanceof Crash) this.kill()
      else if (!this.#cluster.isAway) throw error
      return undefined
    }
  }

  /** Answers all that it asks by what a test says. */
  answers(choose: (resource: string, field: string) => KeepSide | undefined): Map<string, Answer> {
    const questions = this.last?.decision.questions ?? []
    return new Map(
      questions.flatMap(({ plan, difference }) => {
        const side = choose(plan.id, difference.id)
        const { local, remote } = difference
        return side === undefined ? [] : [[keyOf(plan.id, difference), { side, local, remote }] as const]
      }),
    )
  }

  kill(): void {
    this.#life?.following.close()
    this.#life = undefined
  }

  async #start(mortal: Mortal) {
    const client = new FakeClient(this.#cluster, () => {
      if (mortal.isDead) throw new Crash()
      mortal.step()
    })
    const { root } = this.#folder
    const session = await openSession({ client, root, state: join(root, '.state'), secrets: 'leave-out' })
    return {
      session: mortal.lives(session),
      following: openFollowing(client, () => {}),
      mortal,
      passed: undefined,
    }
  }
}
