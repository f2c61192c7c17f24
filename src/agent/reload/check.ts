import { closeSync, constants, lstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import type { BlockContent } from './block.ts'
import { refusal } from './in-place.ts'
import { machineOf } from './machine.ts'
import { inheritable, linkOf, type Memory, proc, signalsIn, statOf, statusField } from './process.ts'

/** What a process has to execute to be started again as it was; throws RELOAD_REFUSED with the reason where that is not known. */
export function programOf(pid: number, memory: Memory): Omit<BlockContent, 'zombies'> {
  if (statOf(proc(pid, 'stat'))?.state === 'T') throw refusal('it is stopped')
  if (statusField(pid, 'TracerPid') !== '0') throw refusal('a debugger is attached to it')
  refuseOtherUser(pid)
  refuseOwnFilter(pid)
  const path = executableOf(pid)
  return {
    path: Buffer.from(path, 'latin1'),
    argv: argumentsOf(pid, memory),
    env: split(readFileSync(proc(pid, 'environ'))).filter((entry) => entry.length > 0),
    descriptors: inheritable(pid),
    ignored: signalsIn(pid, 'SigIgn').filter((signal) => signal !== 9 && signal !== 19),
  }
}

/** Strings that each end with a zero. */
function split(bytes: Buffer): Buffer[] {
  const strings: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at)
    strings.push(bytes.subarray(at, end < 0 ? bytes.length : end))
    at = end < 0 ? bytes.length : end + 1
  }
  return strings
}

/**
 * The arguments that it began with. A process may write over them, to be shown with another title: their number, which
 * the kernel put where the stack begins, and their length then do not fit any more.
 */
function argumentsOf(pid: number, memory: Memory): Buffer[] {
  const bytes = readFileSync(proc(pid, 'cmdline'))
  const stat = statOf(proc(pid, 'stat'))
  const argv = split(bytes)
  const count = memory.read(stat?.startStack ?? 0, 8)
  const length = (stat?.arguments.end ?? 0) - (stat?.arguments.start ?? 0)
  const known =
    count.length === 8 && count.readBigUInt64LE() === BigInt(argv.length) && bytes.length === length
  if (argv.length === 0 || !known) {
    throw refusal('it changed its title, and what it was started with is not known any more')
  }
  return argv
}

/** What it is, or, if that was replaced, what has its name now. */
function executableOf(pid: number): string {
  const path = linkOf(pid, 'exe')?.replace(/ \(deleted\)$/, '')
  if (path === undefined) throw refusal('the kernel does not tell which program it runs')
  const file = proc(pid, `root${path}`)
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw refusal(`its program ${path} is not there any more`)
  // Where a link leads is for the container's own eyes: executing it tells.
  if (found.isSymbolicLink()) return path
  if (!found.isFile() || (found.mode & 0o111) === 0)
    throw refusal(`its program ${path} is no executable file`)
  refuseOtherFormat(path, file)
  return path
}

function refuseOtherFormat(path: string, file: string): void {
  const head = Buffer.alloc(20)
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    readSync(fd, head, 0, head.length, 0)
  } finally {
    closeSync(fd)
  }
  if (head.toString('latin1', 0, 2) === '#!') return
  const is64 = head[4] === 2
  const fits =
    head.toString('latin1', 0, 4) === '\x7fELF' &&
    is64 &&
    head.readUInt16LE(18) === machineOf(process.arch).elfMachine
  if (!fits) throw refusal(`its program ${path} is none for this node's CPU`)
}

/**
 * Who gave up root cannot take it back, and would begin as somebody else. The runtime gives a container's standard
 * streams to the user it starts as: they tell who that was.
 */
function refuseOtherUser(pid: number): void {
  const uids = new Set(statusField(pid, 'Uid').split(/\s+/).map(Number))
  const [uid = 0] = uids
  const began = [0, 1, 2].flatMap((fd) => {
    const stream = statSync(proc(pid, `fd/${fd}`), { throwIfNoEntry: false })
    return stream !== undefined && (stream.isFIFO() || stream.isSocket() || isTerminal(stream))
      ? [stream.uid]
      : []
  })
  if (began.length === 0 && uid !== 0) {
    throw refusal(`it runs as uid ${uid}, and nothing tells whether it was started as that user`)
  }
  const [first = uid] = began
  if (uids.size > 1 || began.some((one) => one !== first)) throw refusal('it changes between users')
  if (first !== uid) {
    throw refusal(`it was started as uid ${first} and runs as uid ${uid}, which may not go back`)
  }
}

function isTerminal(stream: { isCharacterDevice(): boolean; readonly rdev: number }): boolean {
  // Devices with the major number 1 are /dev/null and its kind.
  return stream.isCharacterDevice() && stream.rdev >> 8 !== 1
}

/** A filter of its own may forbid what follows, at the price of its life; one more than ours is the runtime's. */
function refuseOwnFilter(pid: number): void {
  const filters = (one: number | 'self') =>
    Number(/^Seccomp_filters:\s*(\d+)$/m.exec(readFileSync(`/proc/${one}/status`, 'latin1'))?.[1] ?? 0)
  if (filters(pid) > filters('self') + 1) throw refusal('it restricted its own system calls (seccomp)')
}
