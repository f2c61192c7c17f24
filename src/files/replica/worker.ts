/** The thread that holds the replica of a local directory; `local.ts` starts it. */
import { MessagePort, workerData } from 'node:worker_threads'
import * as v from 'valibot'
import { portDuplex } from '../../wire/port.ts'
import { localTrash } from '../trash/local-trash.ts'
import { localRoot } from './local-root.ts'
import { serveReplica } from './server.ts'

const schema = v.object({
  path: v.string(),
  trash: v.exactOptional(v.string()),
  port: v.instance(MessagePort),
})
const { path, trash, port } = v.parse(schema, workerData)
await serveReplica(portDuplex(port), localRoot(path), {
  trash: trash === undefined ? undefined : localTrash(trash, path),
})
