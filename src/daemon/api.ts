import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { KubesyncError } from '../errors.ts'
import { answer } from './api-answers.ts'
import { failure, reply } from './api-http.ts'
import { sharePaths, startShare } from './api-shares.ts'
import type { Share } from './keeps/keeps.ts'
import type { KeepOrder, KeepPlace } from './keeps/order.ts'
import type { OpenSession } from './settle.ts'
import type { Reloaded, WatchStatus } from './status.ts'
import type { Log } from './world.ts'

/** What the local API lets this machine's user ask of the running process. */
export interface ApiHandlers {
  status(): WatchStatus
  /** Goes on with the halted sessions of a spec; how many there were, undefined if there is no such spec. */
  resume(spec: string): number | undefined
  /** Reloads the containers of a spec; undefined if there is no such spec, or it says no way to. */
  reload(spec: string): Promise<readonly Reloaded[]> | undefined
  /** The sessions of a spec that are under way; undefined if there is no such spec. */
  sessions(spec: string): readonly OpenSession[] | undefined
  /** Where its log is, if it has a file. */
  readonly logFile: string | undefined
  /** Both begin something for whoever asks, who may leave it to this process: it then `stays`. */
  sync(kubeconfig: string, stays: boolean): Promise<Share>
  keep(order: KeepOrder, stays: boolean): Promise<Share>
  /** Settles a conflict, or a deletion that waits, of a folder of manifests. */
  settleKept(place: KeepPlace, id: string, keep: 'local' | 'remote'): Promise<void>
  /** Ends that of a folder of manifests, or all; the folders. */
  endKeeps(folder: string | undefined): Promise<string[]>
  endSpecs(): Promise<void>
  /** Has somebody told what happens, until the function that it returns is called. */
  listen(listener: Log): () => void
}

export interface Api {
  close(): Promise<void>
}

/**
 * Serves HTTP on a Unix socket in a directory that only this user can enter. Whoever has the lock of this
 * configuration may call it: a socket that is there is taken for left over.
 *
 * - `GET /status`: `WatchStatus`
 * - `POST /resume` `{spec}`: `{resumed}`, or 404
 * - `POST /reload` `{spec}`: `{reloaded}`, each a `Reloaded`, or 404
 * - `POST /conflicts` `{spec}`: `{conflicts}`, each a `BoundConflict`, or 404
 * - `POST /resolve` `{spec, path, keep, pod?}`: `{resolved}`, the number of containers, or 404
 * - `POST /merge` `{spec, path, pod?}`: `{content, versions}`, the merged text in base64 and what it was made of
 * - `POST /merged` `{spec, path, pod?, versions}`: `{}`; that is in both places now
 * - `POST /content` `{spec, path, pod?}`: `{content}`, of a container's file in base64, or 404
 * - `POST /settle` `{folder, server, id, keep}`: `{}`, for manifests
 * - `POST /stop` `{what: "specs" | "keeps", folder?}`: `{pid, ended, goesOn}`, the folders, and whether there is something left to
 *   do; else the process ends soon after
 * - `POST /watch`, `POST /keep`: see api-shares.ts
 *
 * Errors are `{code, message, hint?}`.
 */
export async function serveApi(socket: string, handlers: ApiHandlers): Promise<Api> {
  await ownDirectory(dirname(socket))
  await rm(socket, { force: true })
  const held = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    // A share is answered as long as it is held.
    if (sharePaths.has(request.url ?? '')) return void startShare({ request, response, held }, handlers)
    answer(request, handlers)
      .catch((error: unknown) => failure(error))
      .then((answered) => reply(response, answered))
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  await chmod(socket, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        setImmediate(() => {
          for (const response of held) if (!response.writableEnded) response.destroy()
        })
        setTimeout(() => server.closeAllConnections(), 1000).unref()
      }),
  }
}

/** Elsewhere than in the user's home somebody else may have made it first. */
async function ownDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const stat = await lstat(path)
  const mine = process.getuid === undefined || stat.uid === process.getuid()
  if (!stat.isDirectory() || !mine) {
    throw new KubesyncError('SOCKET_UNSAFE', `${path} belongs to somebody else`, {
      hint: 'remove it, or set KUBESYNC_HOME to a shorter path of your own',
    })
  }
  if ((stat.mode & 0o077) !== 0) await chmod(path, 0o700)
}
