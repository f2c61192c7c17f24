import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kubeconfig } from './cluster.ts'
import { type Finished, Running, run } from './run.ts'

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))

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

  folder(name: string): string {
    const path = join(this.home, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}
