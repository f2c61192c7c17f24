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

async function inWorld(home: string, { nodes = 1 }: Options, use: (world: World) => Promise<void>) {
  const sandbox = await startSandbox(home, nodes)
  try {
    const laptop = new Laptop(sandbox.kubeconfig)
    const lab = new Lab('world', new Cluster(sandbox.kubeconfig))
    try {
      await Promise.all([lab.create(), laptop.did('init', '--image', 'any')])
      await laptop.watch()
      await use(worldOf({ lab, laptop, socket: sandbox.socket }))
    } finally {
      await laptop.remove()
    }
  } finally {
    await sandbox.close()
  }
}

function worldOf({ lab, laptop, socket }: { lab: Lab; laptop: Laptop; socket: string }): World {
  const folder = laptop.folder('folder')
  const everywhere = async (app: string) =>
    Promise.all((await lab.pods(app)).map((pod) => listRemote(lab, pod, { path: 'folder' })))
  return {
    ...{ lab, laptop, folder },
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
