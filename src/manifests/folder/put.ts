import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const sync = promisify(fs.fsync)

interface PutOptions {
  /** Of a file that is not there yet. */
  readonly mode?: number
  /** Whether it must be on the disk before this returns. */
  readonly isDurable?: boolean
}

/**
 * Puts a whole text in the place of a file, or of none: whoever reads sees the old one or the new one. A link stays a
 * link, and a file keeps its mode. Makes folders that are missing. Rejects with a system error, and then nothing changed.
 */
export async function putFile(path: string, text: string, options: PutOptions = {}): Promise<void> {
  // But for the disk nothing is waited for: of thousands of small files, asking threads for each step takes longer than the steps.
  const found = fs.lstatSync(path, { throwIfNoEntry: false })
  const target = found?.isSymbolicLink() === true ? targetOf(path) : path
  const folder = dirname(target)
  if (found === undefined && !fs.existsSync(folder)) fs.mkdirSync(folder, { recursive: true })
  const before = found && fs.statSync(target, { throwIfNoEntry: false })
  // Renaming would replace what may not be written.
  if (before !== undefined) fs.closeSync(fs.openSync(target, 'r+'))
  const mode = before === undefined ? (options.mode ?? 0o666) : before.mode & 0o777
  const temporary = join(folder, `.kubesync-${randomBytes(6).toString('hex')}`)
  try {
    const file = fs.openSync(temporary, 'wx', mode)
    try {
      fs.writeFileSync(file, text)
      if (before !== undefined) fs.fchmodSync(file, mode)
      if (options.isDurable === true) await sync(file)
    } finally {
      fs.closeSync(file)
    }
    fs.renameSync(temporary, target)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

/** Where a link leads to, if that is there; else the path itself. */
function targetOf(path: string): string {
  try {
    return fs.realpathSync.native(path)
  } catch {
    return path
  }
}
