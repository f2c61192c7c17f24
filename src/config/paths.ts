import { createHash } from 'node:crypto'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** Where kubesync keeps its things on this machine; absolute paths. */
export interface Paths {
  /** The configuration file: what the user may edit. */
  readonly config: string
  /** What outlives a process: the last agreement of each spec's two sides. */
  readonly state: string
  /** The folders of manifests that are kept in step in the background. */
  readonly keeps: string
  /** What a sync replaced or removed on this machine. */
  readonly trash: string
  /** Held by the process that watches this configuration. */
  readonly lock: string
  /** Its local API. Its directory is made for it and is only this user's. */
  readonly socket: string
  /** What it says when it runs in the background. */
  readonly log: string
  /** The sandbox: its kubeconfig, its containers, its socket. There is one for a user, whatever the configuration. */
  readonly sandbox: string
  readonly sandboxLog: string
}

export interface PathOptions {
  /** The configuration file, as `--config` names it. */
  readonly config?: string
  readonly env?: NodeJS.ProcessEnv
}

/** The shortest limit of `sun_path` among the systems we run on (macOS: 104, Linux: 108), less the final 0. */
const socketPathLimit = 103

/**
 * Every path follows from the configuration file's, so that two configurations can be watched at once and
 * one only once. `--config` comes before `KUBESYNC_CONFIG`, and that before `$KUBESYNC_HOME/config`.
 */
export function findPaths(options: PathOptions = {}): Paths {
  const env = options.env ?? process.env
  const home = resolve(env.KUBESYNC_HOME || join(homedir(), '.kubesync'))
  const config = resolve(options.config || env.KUBESYNC_CONFIG || join(home, 'config'))
  const id = createHash('sha256').update(config).digest('hex').slice(0, 12)
  const run = join(home, 'run', id)
  return {
    config,
    state: join(home, 'state'),
    keeps: join(home, 'state', 'keeps', `${id}.json`),
    trash: join(home, 'trash'),
    lock: join(run, 'lock'),
    socket: socketPath(join(run, 'socket'), id),
    log: join(home, 'logs', `watch-${id}.log`),
    sandbox: join(home, 'sandbox'),
    sandboxLog: join(home, 'logs', 'sandbox.log'),
  }
}

function socketPath(wanted: string, id: string): string {
  if (Buffer.byteLength(wanted) <= socketPathLimit) return wanted
  const base = join(tmpdir(), `kubesync-${userInfo().uid}-${id}`, 'socket')
  return Buffer.byteLength(base) <= socketPathLimit ? base : join('/tmp', `kubesync-${id}`, 'socket')
}
