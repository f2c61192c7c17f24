import { KubesyncError, messageOf } from '../errors.ts'
import type { LogEvent } from './world.ts'

/** Where trouble comes from, what stops everything else first. */
const sources = ['setup', 'local', 'server'] as const
type Source = (typeof sources)[number]

/** What keeps a whole spec from being synced. */
export interface Trouble {
  readonly source: Source
  readonly state: 'failed' | 'disconnected'
  readonly message: string
}

export interface Troubles {
  /** The one that matters most. */
  readonly worst: Trouble | undefined
  set(source: Source, error: unknown): void
  clear(source: Source): void
}

/** Keeps the troubles of a spec, and logs the server's as they come and go; sessions tell of the others. */
export function newTroubles(log: (event: Omit<LogEvent, 'spec'>) => void, changed: () => void): Troubles {
  const current = new Map<Source, Trouble>()
  return {
    get worst() {
      const source = sources.find((one) => current.has(one))
      return source === undefined ? undefined : current.get(source)
    },
    set(source, error) {
      const message = sentence(error)
      if (current.get(source)?.message === message) return
      const away = source === 'server' && isServerAway(error)
      current.set(source, { source, state: away ? 'disconnected' : 'failed', message })
      if (source !== 'local') log({ level: away ? 'warn' : 'error', message })
      changed()
    },
    clear(source) {
      if (!current.delete(source)) return
      if (source === 'server') log({ level: 'info', message: 'the API server can be reached again' })
      changed()
    },
  }
}

/** The server does not answer, or not yet; any other answer of it is one that a person has to do something about. */
export function isServerAway(error: unknown): boolean {
  const codes = ['SERVER_UNREACHABLE', 'SERVER_UNAVAILABLE', 'SERVER_ERROR', 'TOO_MANY_REQUESTS']
  return error instanceof KubesyncError && codes.includes(error.code)
}

/** What went wrong and what to do about it, in one line. */
export function sentence(error: unknown): string {
  const message = messageOf(error)
  const hint = error instanceof KubesyncError ? error.hint : undefined
  if (hint === undefined) return message
  if (message.endsWith('.')) return `${message} ${hint}`
  const rest = hint.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase())
  return `${message}; ${rest}`
}
