import { existsSync } from 'node:fs'
import { KubesyncError } from '../../errors.ts'
import type { Session } from '../session.ts'
import { type Folder, surveyFolder } from '../survey/folder.ts'
import { watchFolder } from './watch-folder.ts'

/** Milliseconds between two looks at all files, for what no watch tells; the second where something has no watch. */
const sweepMs = 60_000
const blindMs = 2000
/** Milliseconds for which a file must have been left alone before it is believed. */
const settledMs = 100

/** A folder as it is read. */
export interface Look {
  /** What was read last. */
  folder(): Folder | undefined
  /** Milliseconds until it is to be looked at again, though nothing is told. */
  every(): number
  /** The folder, read again if it changed, and the files that are still being written. NO_SUCH_DIRECTORY where it is not there. */
  read(): Promise<{ readonly folder: Folder; readonly unsettled: ReadonlySet<string> }>
  close(): void
}

export function lookAt({ root, ...session }: Session, onChange: () => void): Look {
  const touched = new Map<string, number>()
  let folder: Folder | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const watch = watchFolder(root, (path) => {
    readAt = Number.NEGATIVE_INFINITY
    touched.set(path, performance.now())
    onChange()
  })
  const every = () => (watch.isBlind() ? blindMs : sweepMs)
  const read = async () => {
    if (!existsSync(root)) throw new KubesyncError('NO_SUCH_DIRECTORY', `${root} is not there`)
    const now = performance.now()
    const before = readAt
    readAt = now
    try {
      await watch.refresh()
      return await surveyFolder({ ...session, root }, ['.'])
    } catch (error) {
      readAt = before
      throw error
    }
  }
  return {
    folder: () => folder,
    every,
    close: watch.close,
    async read() {
      // A kind that the server did not have may have come since.
      const isStrange = folder?.objects.some(({ type }) => type === undefined) === true
      const isOld = performance.now() - readAt >= every()
      if (folder === undefined || isOld || isStrange) folder = await read()
      const settled = performance.now() - settledMs
      for (const [path, at] of touched) if (at < settled) touched.delete(path)
      return { folder, unsettled: new Set(touched.keys()) }
    },
  }
}
