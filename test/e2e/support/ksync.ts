import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll } from 'vitest'
import { cli } from './agent.ts'
import { type Finished, Running, run } from './run.ts'
import { newHome, surroundings } from './surroundings.ts'
import { until } from './until.ts'

/** What these tests rely on in `get -o json`. */
const viewsSchema = v.array(
  v.object({
    name: v.string(),
    state: v.string(),
    message: v.optional(v.string()),
    sessions: v.array(
      v.object({
        pod: v.string(),
        container: v.string(),
        role: v.string(),
        message: v.optional(v.string()),
        reload: v.optional(
          v.object({
            at: v.string(),
            how: v.string(),
            ms: v.optional(v.number()),
            error: v.optional(v.string()),
          }),
        ),
        session: v.optional(
          v.object({
            phase: v.string(),
            conflicts: v.array(v.object({ path: v.string() })),
            problems: v.array(v.object({ path: v.string() })),
          }),
        ),
      }),
    ),
  }),
)
export type SpecView = v.InferOutput<typeof viewsSchema>[number]
export type SessionView = SpecView['sessions'][number]

/** A user's machine: a home of its own with kubesync's configuration and folders to sync. */
export class Laptop {
  readonly home: string = newHome()
  readonly env: NodeJS.ProcessEnv
  readonly #started: Running[] = []

  constructor(kubeconfig: string = surroundings.kubeconfig) {
    const { home } = this
    this.env = {
      ...process.env,
      ...{ HOME: home, KUBECONFIG: kubeconfig, NO_COLOR: '1' },
      ...{ KUBESYNC_HOME: join(home, '.kubesync'), KUBESYNC_CONFIG: '' },
    }
  }

  /** As after `init`, which was run before the tests. */
  hasRunInit(): void {
    const home = join(this.home, '.kubesync')
    mkdirSync(home, { recursive: true, mode: 0o700 })
    writeFileSync(join(home, 'config'), surroundings.configuration, { mode: 0o600 })
  }

  /** The built command line, as a process. */
  ksync(...args: string[]): Promise<Finished> {
    return run(process.execPath, [cli, ...args], { env: this.env, cwd: this.home })
  }

  /** The same where it must succeed; its stdout. */
  async did(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.ksync(...args)
    if (code !== 0) throw new Error(`ksync ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`)
    return stdout
  }

  start(...args: string[]): Running {
    const running = new Running(process.execPath, [cli, ...args], { env: this.env, cwd: this.home })
    this.#started.push(running)
    return running
  }

  /** The built command line in a terminal of its own (of util-linux `script`), whose screen is `stdout`. */
  atTerminal(args: readonly string[], cwd = this.home): Running {
    const line = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ')
    const running = new Running('script', ['-qfec', line, '/dev/null'], { env: this.env, cwd })
    this.#started.push(running)
    return running
  }

  /** Starts `watch` in the foreground, and returns when it answers. */
  async watch(): Promise<Running> {
    const running = this.start('watch')
    await until('the watch answers', () => this.ksync('get'), {
      holds: ({ code, stderr }) => code === 0 && !stderr.includes('no watch runs'),
    })
    return running
  }

  /** What `get` says of a spec; undefined if there is none by that name. */
  async spec(name: string): Promise<SpecView | undefined> {
    const views = v.parse(viewsSchema, JSON.parse(await this.did('get', '-o', 'json')))
    return views.find((view) => view.name === name)
  }

  async sessions(name: string): Promise<readonly SessionView[]> {
    return (await this.spec(name))?.sessions ?? []
  }

  /** Waits until a spec is in sync with so many pods, and returns its sessions. */
  inSync(name: string, pods: number, limit = 60_000): Promise<readonly SessionView[]> {
    return until(`${name} is in sync with ${pods} pods`, () => this.sessions(name), {
      limit,
      every: 200,
      holds: (all) => all.length === pods && all.every(({ session }) => session?.phase === 'in-sync'),
    })
  }

  folder(name: string): string {
    const path = join(this.home, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Ends what was started on it, and removes it. */
  async remove(): Promise<void> {
    await Promise.all(this.#started.map((running) => running.end()))
    await this.ksync('watch', '--stop')
    await this.ksync('daemon', '--stop')
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A user's machine for the tests of the block it is called in. */
export function useLaptop(): Laptop {
  const laptop = new Laptop()
  afterAll(() => laptop.remove())
  return laptop
}
