import { isDeepStrictEqual } from 'node:util'
import type { Spec } from '../config/spec.ts'
import { newClusters } from './clusters.ts'
import type { OpenSession } from './settle.ts'
import { runSpec, type SpecRunner } from './spec-runner.ts'
import { forgetSpecState, sharesState } from './state.ts'
import type { Reloaded, SpecStatus } from './status.ts'
import type { Log, World } from './world.ts'

/** Runs specs side by side; what goes wrong with one does not touch the others. */
export interface Supervisor {
  /** In the order of the specs. */
  readonly status: readonly SpecStatus[]
  /** Begins new specs, ends those that are not there any more (and forgets what they agreed on), leaves the rest. */
  update(specs: readonly Spec[]): void
  /** Goes on with the halted sessions of a spec; how many there were, or undefined if there is no such spec. */
  resume(name: string): number | undefined
  /** Reloads the containers of a spec; undefined if there is no such spec, or it says no way to. */
  reload(name: string): Promise<readonly Reloaded[]> | undefined
  /** The sessions of a spec that are under way; undefined if there is no such spec. */
  sessions(name: string): readonly OpenSession[] | undefined
  /** Ends all; resolves once nothing is left of them. What they agreed on is kept. */
  stop(): Promise<void>
}

export interface SupervisorOptions {
  readonly world: World
  /** The folder of all specs' states. */
  readonly stateRoot: string
  readonly log: Log
}

export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { log, stateRoot } = options
  const clusters = newClusters(options.world)
  let runners: readonly SpecRunner[] = []
  /** Ends under way; a spec that replaces another begins when that is over. */
  const ending = new Set<Promise<void>>()
  let stopped = false

  function begin(spec: Spec): SpecRunner {
    log({ level: 'info', spec: spec.name, message: `syncing ${spec.local} with ${spec.remote}` })
    return runSpec({ ...options, spec, clusters, after: Promise.all(ending), changed: () => {} })
  }

  async function end(runner: SpecRunner, specs: readonly Spec[]): Promise<void> {
    await runner.stop()
    log({ level: 'info', spec: runner.spec.name, message: 'ended' })
    if (!specs.some((spec) => sharesState(spec, runner.spec))) await forgetSpecState(stateRoot, runner.spec)
  }

  return {
    get status() {
      return runners.map(({ status }) => status)
    },
    update(specs) {
      if (stopped) return
      const keep = (runner: SpecRunner) => specs.some((spec) => isDeepStrictEqual(spec, runner.spec))
      for (const runner of runners.filter((one) => !keep(one))) {
        const ended = end(runner, specs).catch((error) => log({ level: 'error', message: String(error) }))
        ending.add(ended.finally(() => ending.delete(ended)))
      }
      const kept = runners.filter(keep)
      runners = specs.map((spec) => kept.find(({ spec: { name } }) => name === spec.name) ?? begin(spec))
    },
    resume: (name) => runners.find(({ spec }) => spec.name === name)?.resume(),
    reload: (name) => runners.find(({ spec }) => spec.name === name)?.reload(),
    sessions: (name) => runners.find(({ spec }) => spec.name === name)?.sessions,
    async stop() {
      stopped = true
      await Promise.all([...runners.map((runner) => runner.stop()), ...ending])
      await clusters.close()
    },
  }
}
