import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../cli.ts'

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A home of its own, in which command lines are carried out within this process. */
export class Terminal {
  readonly home: string = realpathSync(mkdtempSync(join(tmpdir(), 'kubesync-cli-')))
  readonly env: NodeJS.ProcessEnv = {
    HOME: this.home,
    KUBESYNC_HOME: join(this.home, '.kubesync'),
    KUBECONFIG: join(this.home, 'kubeconfig'),
  }

  /** Makes a kubeconfig with one context, for a server that nobody may call. */
  constructor() {
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1' } }
    const context = { name: 'kind', context: { cluster: 'c', user: 'u', namespace: 'team' } }
    const user = { name: 'u', user: { token: 't' } }
    const config = { 'current-context': 'kind', clusters: [cluster], contexts: [context], users: [user] }
    writeFileSync(join(this.home, 'kubeconfig'), JSON.stringify(config))
  }

  async ksync(...args: string[]): Promise<Said> {
    const said = { stdout: '', stderr: '' }
    const output = (name: 'stdout' | 'stderr') => ({
      write: (text: string) => {
        said[name] += text
      },
    })
    const { signal } = new AbortController()
    const io = { stdout: output('stdout'), stderr: output('stderr'), env: this.env, cwd: this.home, signal }
    const code = await runCli(args, { name: 'ksync', io })
    return { code, ...said }
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
