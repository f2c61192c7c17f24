import { type FSWatcher, watch } from 'node:fs'
import { access, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { type Config, loadConfig } from './store.ts'

export interface ConfigWatch {
  /** What was in force when the watch began. */
  readonly initial: Config
  close(): void
}

export interface ConfigListener {
  /** The configuration changed to this. */
  changed(config: Config): void
  /** It cannot be read; the last good one stays in force. Called once for each reason. */
  broken(error: Error): void
}

export interface ConfigWatchOptions {
  /** Milliseconds after a hint before the file is read: editors replace a file in several steps. */
  readonly settleMs?: number
  /** Milliseconds between looks without a hint, for file systems that give none. */
  readonly pollMs?: number
}

/** Reads the configuration and tells of every change to it until closed. Rejects when it is broken at first. */
export async function watchConfig(
  path: string,
  listener: ConfigListener,
  { settleMs = 100, pollMs = 5000 }: ConfigWatchOptions = {},
): Promise<ConfigWatch> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  let reread = () => {}
  // Watching begins before the first reading, so that no change falls between the two.
  const watchers = await watchFolders(path, () => reread())
  try {
    const initial = await loadConfig(path)
    const reader = startReader({ path, listener, initial, settleMs })
    reread = reader.hint
    reader.hint()
    const poll = setInterval(reader.hint, pollMs)
    const close = () => {
      clearInterval(poll)
      reader.stop()
      for (const watcher of watchers) watcher.close()
    }
    return { initial, close }
  } catch (error) {
    for (const watcher of watchers) watcher.close()
    throw error
  }
}

/** A symlinked file changes in two folders: the link's, and that of what it leads to. */
async function watchFolders(path: string, hint: () => void): Promise<FSWatcher[]> {
  const target = await realpath(path).catch(() => path)
  const folders = new Set([dirname(path), dirname(target)])
  const names: readonly (string | null)[] = [basename(path), basename(target), null]
  return [...folders].map((folder) => {
    const watcher = watch(folder, (_, name) => {
      if (names.includes(name)) hint()
    })
    watcher.on('error', () => watcher.close())
    return watcher
  })
}

/**
 * What the configuration is now. That a file with specs is gone is taken for a mishap, or a step of some
 * tool that replaces it, because ending a spec forgets what its sides agreed on; removing specs leaves a file.
 */
async function look(path: string, current: Config): Promise<Config | Error> {
  try {
    const found = await loadConfig(path)
    if (current.specs.length > 0) await access(path)
    return found
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return error instanceof Error ? error : new Error(messageOf(error))
    return new KubesyncError('CONFIG_GONE', `${path} is gone; what it last said stays in force`)
  }
}

interface ReaderOptions {
  readonly path: string
  readonly listener: ConfigListener
  readonly initial: Config
  readonly settleMs: number
}

function startReader({ path, listener, initial, settleMs }: ReaderOptions) {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let current = initial
  let complaint: string | undefined

  async function read(): Promise<void> {
    timer = undefined
    const found = await look(path, current)
    if (stopped) return
    if (found instanceof Error) {
      if (found.message !== complaint) listener.broken(found)
      complaint = found.message
      return
    }
    complaint = undefined
    if (isDeepStrictEqual(found, current)) return
    current = found
    listener.changed(found)
  }

  return {
    hint() {
      if (!stopped) timer ??= setTimeout(() => void read(), settleMs)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
