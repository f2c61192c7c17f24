import type { KubeClient } from './client.ts'
import type { ExecStream } from './exec-stream.ts'
import { type ExecListener, STATUS, STDOUT } from './exec-transport.ts'
import { openWebSocket } from './exec-websocket.ts'
import { type Opener, openStream } from './open-stream.ts'
import { resourcePath } from './resource.ts'

export interface ForwardRequest {
  readonly namespace: string
  readonly pod: string
  /** Somebody listens there on the pod's loopback address. */
  readonly port: number
}

/** The channels of the first and only port; the first message of each is its number, in two bytes. */
const DATA = 0
const ERROR = 1
const PORT_BYTES = 2

/**
 * Connects to a port in a pod: what is written goes there, what is read comes from there. That nobody listens is told
 * later, by `exit`. In the WebSocket form of the protocol, which all servers know that run containers by CRI
 * (k8s.io/kubelet/pkg/cri/streaming/portforward); it cannot close one direction alone.
 *
 * @throws KubesyncError as `exec` does
 */
export function portForward(client: KubeClient, request: ForwardRequest): Promise<ExecStream> {
  const { namespace, pod, port } = request
  const at = { apiVersion: 'v1', plural: 'pods', namespace, name: pod, subresource: 'portforward' }
  const url = client.url(resourcePath(at), { ports: port })
  const where = `${namespace}/${pod}`
  const action = `reach port ${port} of the pod ${where} (pods/portforward)`
  return openStream(client, { url, opener: open, pod: where, action })
}

/** A forwarded port as a command: its bytes are stdin and stdout, what goes wrong is how it ends. */
const open: Opener = async (...where) => {
  const opened = await openWebSocket(...where)
  if ('refusal' in opened) return opened
  const { listen } = opened
  return Object.assign(opened, { listen: (listener: ExecListener) => listen(translated(listener)) })
}

function translated(listener: ExecListener): ExecListener {
  const toSkip = [PORT_BYTES, PORT_BYTES]
  return {
    onData(channel, message) {
      const skipped = Math.min(toSkip[channel] ?? 0, message.length)
      toSkip[channel] = (toSkip[channel] ?? 0) - skipped
      const data = message.subarray(skipped)
      if (channel === DATA) listener.onData(STDOUT, data)
      else if (channel === ERROR && data.length > 0) listener.onData(STATUS, failure(data.toString('utf8')))
    },
    onAlive: () => listener.onAlive(),
    onClose: (reason) => listener.onClose(reason),
  }
}

function failure(message: string): Buffer {
  return Buffer.from(JSON.stringify({ status: 'Failure', message }))
}
