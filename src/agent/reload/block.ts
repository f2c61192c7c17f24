import { callSize, type Machine, resultOffset } from './machine.ts'

/**
 * What a restart in place lays into the process's memory, below its stack, where nobody ever was: a journal, room for
 * the stub's stack, the list of calls, and what they point to.
 */
export interface Block {
  readonly base: number
  readonly bytes: Buffer
  readonly calls: number
  readonly stack: number
  /** Where the kernel's answer to execve is written, should it come back. */
  readonly execResult: number
}

export interface BlockContent {
  readonly path: Buffer
  readonly argv: readonly Buffer[]
  readonly env: readonly Buffer[]
  /** Children that have ended and that nobody will ask for. */
  readonly zombies: number
  /** Descriptors that the new program is not to inherit. */
  readonly descriptors: readonly number[]
  /** Signals that are ignored, which a program that starts does not expect. */
  readonly ignored: readonly number[]
}

/** Bytes for the journal, and for the stub's stack: a signal's frame takes up to 12 KiB with the registers of today. */
export const journalRoom = 256 * 1024
const stackRoom = 64 * 1024
const page = 4096

/** What it answers when it has not been asked: no call returns that. */
export const pending = -4096n

const WNOHANG = 1
const F_SETFD = 2
const FD_CLOEXEC = 1
const SIG_SETMASK = 2
const maskSize = 8
const sigactionSize = 32

/** How many bytes a block takes, a little more than it needs. */
export function blockSize(content: BlockContent): number {
  const strings = [content.path, ...content.argv, ...content.env]
  const text = strings.reduce((sum, one) => sum + one.length + 1 + 8, 0)
  const calls = content.zombies + 2 * content.descriptors.length + 2 * content.ignored.length + 4
  const kept = (content.ignored.length + 1) * sigactionSize + 2 * maskSize
  return Math.ceil((journalRoom + stackRoom + text + calls * callSize + kept + 256) / page) * page
}

/**
 * Reaps what has ended, marks descriptors to be closed, resets signals and executes the program; what follows that is only
 * reached if it fails, and takes the marks and the signals back.
 */
export function buildBlock(base: number, content: BlockContent, { numbers }: Machine): Block {
  const bytes = Buffer.alloc(blockSize(content) - journalRoom - stackRoom)
  const stack = base + journalRoom + stackRoom
  let end = 0
  const put = (data: Buffer, align = 8): number => {
    const at = Math.ceil(end / align) * align
    data.copy(bytes, at)
    end = at + data.length
    return stack + at
  }
  const pointers = (all: readonly Buffer[]) => {
    const places = all.map((one) => put(Buffer.concat([one, Buffer.alloc(1)]), 1))
    return put(words([...places, 0]))
  }
  const [path, argv, env] = [
    put(Buffer.concat([content.path, Buffer.alloc(1)])),
    pointers(content.argv),
    pointers(content.env),
  ]
  const zero = put(Buffer.alloc(sigactionSize))
  const oldMask = put(Buffer.alloc(maskSize))
  const kept = content.ignored.map((signal) => ({ signal, at: put(Buffer.alloc(sigactionSize)) }))
  const mark = (flag: number) => content.descriptors.map((fd) => [numbers.fcntl, fd, F_SETFD, flag])
  const calls: number[][] = [
    ...Array.from({ length: content.zombies }, () => [numbers.wait4, -1, 0, WNOHANG]),
    ...mark(FD_CLOEXEC),
    ...kept.map(({ signal, at }) => [numbers.sigaction, signal, zero, at, maskSize]),
    [numbers.sigprocmask, SIG_SETMASK, zero, oldMask, maskSize],
    [numbers.execve, path, argv, env],
  ]
  const executes = calls.length - 1
  calls.push(
    [numbers.sigprocmask, SIG_SETMASK, oldMask, 0, maskSize],
    ...kept.map(({ signal, at }) => [numbers.sigaction, signal, at, 0, maskSize]),
    ...mark(0),
    [-1],
  )
  const list = put(Buffer.concat(calls.map(record)))
  return {
    base,
    bytes: bytes.subarray(0, end),
    calls: list,
    stack,
    execResult: list + executes * callSize + resultOffset,
  }
}

function record(call: readonly number[]): Buffer {
  const [number = -1, a = 0, b = 0, c = 0, d = 0] = call
  return words([number, a, b, c, d, Number(pending)])
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  for (const [index, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), index * 8)
  return bytes
}
