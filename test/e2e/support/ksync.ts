import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { kubeconfig } from './cluster.ts'
import { type Finished, Running, run } from './run.ts'
import { until } from './until.ts'

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))

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
  readonly home: string = mkdtempSync(join(tmpdir(), 'kubesync-e2e-'))
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: this.home,
    KUBECONFIG: kubeconfig,
    NO_COLOR: '1',
    KUBESYNC_HOME: join(this.home, '.kubesync'),
    KUBESYNC_CONFIG: '',
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
    return new Running(process.execPath, [cli, ...args], { env: this.env, cwd: this.home })
  }

  /** What `get` says of a spec; undefined if there is none by that name. */
  async spec(name: string): Promise<SpecView | undefined> {
    const views = v.parse(viewsSchema, JSON.parse(await this.did('get', '-o', 'json')))
    return views.find((view) => view.name === name)
  }

  async sessions(name: string): Promise<readonly SessionView[]> {
    return (await this.spec(name))?.sessions ?? []
  }

  /** Waits until `get` has somebody to ask. */
  async watchIsUp(): Promise<void> {
    await until('a watch runs', () => this.ksync('get'), {
      holds: ({ stderr }) => !stderr.includes('no watch runs'),
    })
  }

  /** Waits until a spec is in sync with so many pods, and returns its sessions. */
  inSync(name: string, pods: number, limit = 60_000): Promise<readonly SessionView[]> {
    return until(`${name} is in sync with ${pods} pods`, () => this.sessions(name), {
      limit,
      holds: (all) => all.length === pods && all.every(({ session }) => session?.phase === 'in-sync'),
    })
  }

  folder(name: string): string {
    const path = join(this.home, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}
