import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Spec } from '../../config/spec.ts'
import { newClusters } from '../clusters.ts'
import { runSpec, type SpecRunner } from '../spec-runner.ts'
import type { LogEvent } from '../world.ts'
import { demo, type FakeSession, FakeWorld } from './fake-world.ts'

/** Runners in a fake world, and what they did there. */
export class Stage {
  readonly world: FakeWorld = new FakeWorld()
  readonly log: LogEvent[] = []
  readonly stateRoot: string
  readonly #runners: SpecRunner[] = []

  private constructor(stateRoot: string) {
    this.stateRoot = stateRoot
  }

  static async set(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'state-')))
  }

  async strike(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()))
    await rm(this.stateRoot, { recursive: true, force: true })
  }

  start(spec: Spec = demo): SpecRunner {
    const { world, stateRoot } = this
    const log = (event: LogEvent) => this.log.push(event)
    const runner = runSpec({ spec, world, stateRoot, clusters: newClusters(world), log, changed: () => {} })
    this.#runners.push(runner)
    return runner
  }

  /** `a*` for a leader a, `b` for a follower b, of the sessions that go on. */
  get going(): string {
    const roles = this.world.running.map(({ pod, role }) => (role === 'leader' ? `${pod}*` : pod))
    return roles.sort().join(' ')
  }

  /** Waits until exactly these sessions go on. */
  goes(sessions: string): Promise<void> {
    return until(() => this.going === sessions)
  }

  session(pod: string): FakeSession {
    const found = this.world.running.find((one) => one.pod === pod)
    if (found === undefined) throw new Error(`no session with ${pod}`)
    return found
  }
}

/** Looks after every turn of the event loop whether something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}
