import { createServer, type Socket } from 'node:net'
import { newMirrors } from '../mirrors.ts'
import { serveNode } from '../node.ts'
import { hostProc, podUidOf } from '../radar.ts'
import { continueLeftovers } from '../reload/recover.ts'
import { reloadsDone } from '../reload/serve.ts'
import { gatePort } from './places.ts'
import { readPod } from './pod-reader.ts'
import { newProofs } from './proof.ts'

/** Callers at a time, of whom each may be anybody who may forward ports. */
const maxCallers = 256
/** After this a caller has to come back, and prove anew that it has its rights still; in milliseconds. */
const maxAgeMs = 12 * 3600 * 1000

/** Serves whoever connects, for as long as the pod lives, and starts nothing for who proved nothing. */
export function runGate(): void {
  const server = createServer({ noDelay: true, keepAlive: true }, admit)
  server.maxConnections = maxCallers
  // Where pods share one loopback device, as the sandbox's do, each is told an address of its own.
  server.listen(gatePort, process.env.POD_LOOPBACK || '127.0.0.1')
  process.on('SIGTERM', () => void reloadsDone().then(() => process.exit(0)))
  void continueLeftovers()
}

function admit(socket: Socket): void {
  socket.on('error', () => {})
  const age = setTimeout(() => socket.destroy(), maxAgeMs).unref()
  const proofs = newProofs({ readPod, podUidOf: (id) => podUidOf(id, hostProc) })
  void serveNode(socket, { view: 'node', mirrors: newMirrors(undefined), proofs }).then(() => {
    clearTimeout(age)
    socket.destroy()
  })
}
