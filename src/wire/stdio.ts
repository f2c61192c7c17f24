import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { joinStreams } from './join.ts'

/**
 * Standard input and output of this process as one stream that never blocks it. (`process.stdout` would: on a pipe, Node
 * writes to it synchronously.) Both must be pipes or sockets, as they are for a child process and under `exec` in a
 * container: else a KubesyncError, code `STDIO_NOT_PIPES`. Nothing else may use the two descriptors afterwards.
 */
export function stdioDuplex(): Duplex {
  const input = openFd(0, 'standard input')
  const output = openFd(1, 'standard output')
  return joinStreams({ input, output })
}

function openFd(fd: 0 | 1, name: string): Socket {
  try {
    return new Socket({ fd, readable: fd === 0, writable: fd === 1 })
  } catch (error) {
    const what =
      errnoOf(error) === 'ERR_INVALID_FD_TYPE' ? 'is neither a pipe nor a socket' : messageOf(error)
    throw new KubesyncError('STDIO_NOT_PIPES', `${name} ${what}`, {
      hint: 'this is started by kubesync itself, and talks to it through pipes',
      cause: error,
    })
  }
}
