/** The thread that holds the replica of a local directory; `local.ts` starts it. */
import { MessagePort, workerData } from 'node:worker_threads'
import * as v from 'valibot'
import { portDuplex } from '../../wire/port.ts'
import { localRoot } from './local-root.ts'
import { serveReplica } from './server.ts'

const { path, port } = v.parse(v.object({ path: v.string(), port: v.instance(MessagePort) }), workerData)
await serveReplica(portDuplex(port), localRoot(path))
