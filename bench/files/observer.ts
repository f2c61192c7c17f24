/** A process in the container that sees what is synced, and writes there, told by lines of JSON. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { execWithInput, inPod, pipe } from './lab.ts'
import { environment } from './settings.ts'

const DIRECTORY = '/kubesync-bench-node'

/**
 * Runs in the container. `see`: says when the files hold these contents, on the monotonic clock. `write`: writes a file
 * and says when it began to. Many files are asked for in their order, every few milliseconds, so that asking costs little.
 */
const code = `
const fs = require('fs'), path = require('path')
const now = () => Number(process.hrtime.bigint()) / 1e6
const say = (id, at) => process.stdout.write(JSON.stringify({ id, at }) + '\\n')
const holds = ([file, content]) => { try { return fs.readFileSync(file, 'utf8') === content } catch { return false } }
function see({ id, files }) {
  let next = 0, watcher, timer
  const look = () => {
    while (next < files.length && holds(files[next])) next++
    if (next < files.length) return
    watcher?.close()
    clearInterval(timer)
    say(id, now())
    next = -1
  }
  if (files.length === 1) watcher = fs.watch(path.dirname(files[0][0]), () => next === 0 && look())
  else timer = setInterval(look, 4)
  say(id + ' ready', now())
}
function write({ id, files: [[file, content]] }) {
  const at = now()
  fs.writeFileSync(file, content)
  say(id, at)
}
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line)
  if (order.kind === 'see') see(order)
  else write(order)
})
say('hello', now())
`

/** A file and what it is to hold. */
export type Content = readonly [path: string, content: string]

export interface Observer {
  /** Resolves when the process watches, with the time (see `now`) at which the files will have held that. */
  see(files: readonly Content[]): Promise<{ readonly seen: Promise<number> }>
  /** The time at which it began to write. */
  write(file: Content): Promise<number>
  stop(): void
}

/** Milliseconds on the clock that every process of this machine has. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Brings this machine's Node into the container, and starts it there. */
export async function startObserver(): Promise<Observer> {
  const libraries = `$(ldd ${process.execPath} | grep -o '/[^ ]*')`
  const files = `readlink -f ${process.execPath}; for l in ${libraries}; do echo $l; done`
  inPod(`mkdir -p ${DIRECTORY}`)
  pipe(`{ ${files}; } | tar chf - -T - 2>/dev/null | ${execWithInput} tar xf - -C ${DIRECTORY}`)
  // The container need not have a C library: the loader that came with Node brings the others.
  const node = `$(find ${DIRECTORY} -name 'ld-linux*' -type f | head -1)`
  const paths = `$(find ${DIRECTORY} -name '*.so*' | sed 's|/[^/]*$||' | sort -u | tr '\\n' ':')`
  const binary = `$(find ${DIRECTORY} -name '${process.execPath.split('/').pop()}' -type f | head -1)`
  const line = `exec ${node} --library-path ${paths} ${binary} -e "$CODE"`
  const [command = '', ...args] = execWithInput.split(' ')
  const child = spawn(command, [...args, 'env', `CODE=${code}`, 'sh', '-c', line], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers = new Answers(child)
  await answers.to('hello')
  return {
    async see(files) {
      const id = answers.ask('see', files)
      const seen = answers.to(id)
      await answers.to(`${id} ready`)
      return { seen }
    },
    write: (file) => answers.to(answers.ask('write', [file])),
    stop: () => void child.kill(),
  }
}

/** What the process says, by the id of what it was asked. */
class Answers {
  private readonly waiting = new Map<string, (at: number) => void>()
  private readonly child: ChildProcess
  private last = 0

  constructor(child: ChildProcess) {
    this.child = child
    if (child.stdout === null) throw new Error('a piped process has pipes')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, at }: { id: string; at: number } = JSON.parse(line)
      this.waiting.get(id)?.(at)
      this.waiting.delete(id)
    })
  }

  ask(kind: 'see' | 'write', files: readonly Content[]): string {
    const id = String(++this.last)
    this.child.stdin?.write(`${JSON.stringify({ id, kind, files })}\n`)
    return id
  }

  to(id: string): Promise<number> {
    if (this.child.exitCode !== null) throw new Error('the process in the container ended')
    return new Promise((resolve) => this.waiting.set(id, resolve))
  }
}
