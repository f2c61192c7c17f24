import { type ChildProcess, spawn } from 'node:child_process'
import { inTime } from './watch.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface KubectlOptions {
  readonly binary: string
  readonly kubeconfig: string
  readonly namespace: string
  /** Where its cache is kept. */
  readonly home: string
}

/** The real kubectl, bound to a server and a namespace. */
export class Kubectl {
  readonly #options: KubectlOptions

  constructor(options: KubectlOptions) {
    this.#options = options
  }

  /** Runs to the end, must succeed; stdout. */
  run(...args: string[]): Promise<string> {
    return this.stdin('', ...args)
  }

  /** The same with something to read. */
  async stdin(input: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(input, ...args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`)
    return stdout
  }

  /** Runs to the end, whatever its exit code. */
  attempt(input: string, ...args: string[]): Promise<Finished> {
    const child = this.start(...args)
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text
      })
    }
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const ended = new Promise<Finished>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, ...said }))
    })
    return inTime(ended, `kubectl ${args.join(' ')} did not end`, 60_000).finally(() => child.kill())
  }

  start(...args: string[]): ChildProcess {
    const { binary, kubeconfig, namespace, home } = this.#options
    const all = ['--kubeconfig', kubeconfig, '--namespace', namespace, '--cache-dir', home, ...args]
    return spawn(binary, all, { stdio: 'pipe' })
  }
}

/** Waits until a process says something on stdout. */
export function until(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  const said = new Promise<RegExpExecArray>((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more
      const found = wanted.exec(text)
      if (found !== null) resolve(found)
    })
    child.on('close', () => reject(new Error(`it ended and had said: ${text}`)))
  })
  return inTime(said, `it did not say ${wanted}`)
}
