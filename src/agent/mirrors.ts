import { type ChildProcess, spawn } from 'node:child_process'
import { pipeline } from 'node:stream'
import { writeMessage } from '../wire/messages.ts'
import type { Channel } from '../wire/mux.ts'
import type { Ring } from './content/ring.ts'
import { framed, loader, ownCode } from './loader.ts'
import type { MirrorRequest } from './mirror.ts'
import { toJson } from './protocol.ts'
import { hostProc, isAlive, type ProcessRef } from './radar.ts'

/** How soon a container's end is noticed, in milliseconds; one read of /proc each. */
const pulse = 250

/**
 * Of a mirror: twice what the largest tree takes. What a container makes it hold beyond that, such as the names in one
 * huge directory, ends that mirror and not the agent, or whatever else needs the node's memory.
 */
const maxHeapMb = 2048
/** New objects have three times as much room: more is kept, and used for bursts only. */
const maxNewMb = 4

/** Mirrors, each a process of its own, because its uid is the container's. */
export interface Mirrors {
  /** Starts one that waits to be told what of: the first to be asked for is there at once. */
  prepare(): void
  /** Has one serve a channel; it ends with the channel, and with the container. */
  relay(channel: Channel, request: Omit<MirrorRequest, 'storeSize'>): void
}

export function newMirrors(ring: Ring | undefined): Mirrors {
  let spare: ChildProcess | undefined

  function take(): ChildProcess {
    const taken = spare
    spare = undefined
    return taken?.exitCode === null && taken.signalCode === null ? taken : start(ring)
  }

  return {
    prepare() {
      spare ??= start(ring)
    },
    relay(channel, request) {
      serve(take(), channel, ring === undefined ? request : { ...request, storeSize: ring.size })
    },
  }
}

function start(ring: Ring | undefined): ChildProcess {
  const code = [`--max-old-space-size=${maxHeapMb}`, `--max-semi-space-size=${maxNewMb}`, '-e', loader]
  const child = spawn(process.execPath, [...code, 'mirror'], {
    stdio: ['pipe', 'pipe', 'pipe', ring?.fd ?? 'ignore'],
    env: {},
  })
  // Until it serves somebody, nobody is to know: another one is started then.
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.stdin?.write(framed(ownCode()))
  return child
}

function serve(child: ChildProcess, channel: Channel, request: MirrorRequest): void {
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('a mirror without pipes')
  let said = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const beat = watchProcess(request.process, () => end('the container ended'))
  function end(reason: string): void {
    beat.stop()
    child.kill('SIGKILL')
    channel.destroy(new Error(reason))
  }
  child.on('error', (error) => end(error.message))
  child.on('exit', (code, signal) => {
    if (!channel.destroyed) end(said.trim() || `the mirror ended (${signal ?? code})`)
  })
  void writeMessage(stdin, toJson(request)).catch(() => {})
  pipeline(channel, stdin, () => {})
  pipeline(stdout, channel, () => {})
  channel.on('close', () => end('the session ended'))
}

function watchProcess(process: ProcessRef, gone: () => void): { stop(): void } {
  const timer = setInterval(() => {
    if (isAlive(process, hostProc)) return
    clearInterval(timer)
    gone()
  }, pulse)
  return { stop: () => clearInterval(timer) }
}
