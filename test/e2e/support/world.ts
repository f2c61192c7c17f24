import { rmSync } from 'node:fs'
import { Cluster, Lab } from './cluster.ts'
import { Laptop, type SessionView } from './ksync.ts'
import { must } from './run.ts'
import { type Fault, fault, startSandbox } from './sandbox.ts'
import { newHome } from './surroundings.ts'
import { type Listing, listLocal, listRemote } from './trees.ts'
import { until } from './until.ts'

/** A sandbox of a test's own, where anything may break, and a laptop with an agent in it and a watch that runs. */
export interface World {
  readonly lab: Lab
  readonly laptop: Laptop
  /** What is synced, by a spec named `it`, with `/folder` in the pods of an app. */
  readonly folder: string
  /** The process id of the watch. */
  readonly watch: number
  fault(what: Fault): Promise<unknown>
  sync(app: string): Promise<void>
  /** Waits until `get` shows so of the first session; all that it said meanwhile, in JSON, without repetitions. */
  saidUntil(holds: (session: SessionView | undefined) => boolean): Promise<string[]>
  /** Waits until so many pods hold what the laptop does and `get` says so; what that is. */
  equal(app: string, pods: number): Promise<Listing>
}

interface Options {
  readonly nodes?: number
  /** The size of the file system that the containers are on; the machine's unless given. */
  readonly megabytes?: number
  /** By how much the laptop's clock is wrong; right unless given. */
  readonly skewMs?: number
}

/** Opens one, hands it over, and ends all of it, whatever came of that. */
export async function withWorld(options: Options, use: (world: World) => Promise<void>): Promise<void> {
  const home = newHome()
  const { megabytes } = options
  if (megabytes !== undefined) await must('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', home])
  try {
    await inWorld(home, options, use)
  } finally {
    if (megabytes !== undefined) await must('umount', [home])
    rmSync(home, { recursive: true, force: true })
  }
}

async function inWorld(home: string, { nodes = 1, skewMs }: Options, use: (world: World) => Promise<void>) {
  const sandbox = await startSandbox(home, nodes)
  try {
    const laptop = new Laptop(sandbox.kubeconfig)
    if (skewMs !== undefined) laptop.env.NODE_OPTIONS = clockOff(skewMs)
    const lab = new Lab('world', new Cluster(sandbox.kubeconfig))
    try {
      await Promise.all([lab.create(), laptop.did('init', '--image', 'any')])
      const { pid = 0 } = (await laptop.watch()).child
      await use(worldOf({ lab, laptop, socket: sandbox.socket, watch: pid }))
    } finally {
      await laptop.remove()
    }
  } finally {
    await sandbox.close()
  }
}

/** Options with which Node, and its workers, have another time than the machine. */
function clockOff(ms: number): string {
  const code = `
    const Real = Date
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length === 0 ? [Real.now() + ${ms}] : given)) }
      static now() { return Real.now() + ${ms} }
    }`
  return `--import data:text/javascript,${encodeURIComponent(code)}`
}

interface Parts {
  readonly lab: Lab
  readonly laptop: Laptop
  readonly socket: string
  readonly watch: number
}

function worldOf({ lab, laptop, socket, watch }: Parts): World {
  const folder = laptop.folder('folder')
  const everywhere = async (app: string) =>
    Promise.all((await lab.pods(app)).map((pod) => listRemote(lab, pod, { path: 'folder' })))
  return {
    ...{ lab, laptop, folder, watch },
    fault: (what) => fault(socket, what),
    async sync(app) {
      await laptop.did('create', '--name', 'it', '-l', `app=${app}`, '-n', lab.namespace, folder, '/folder')
    },
    async saidUntil(holds) {
      const said: string[] = []
      await until('get shows it', () => laptop.spec('it'), {
        holds: (spec) => {
          const now = JSON.stringify(spec ?? null)
          if (now !== said.at(-1)) said.push(now)
          return holds(spec?.sessions[0])
        },
        limit: 90_000,
        every: 200,
      })
      return said
    },
    async equal(app, pods) {
      await until('all hold the same', () => everywhere(app), {
        holds: (all) => all.length === pods && all.every((one) => one.join() === listLocal(folder).join()),
        limit: 120_000,
        every: 500,
      })
      await laptop.inSync('it', pods)
      return listLocal(folder)
    },
  }
}
