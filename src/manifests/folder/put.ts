import { randomBytes } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

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
  const target = await realpath(path).catch(() => path)
  const folder = dirname(target)
  await mkdir(folder, { recursive: true })
  const before = await stat(target).catch(() => undefined)
  // Renaming would replace what may not be written.
  if (before !== undefined) await (await open(target, 'r+')).close()
  const mode = before === undefined ? (options.mode ?? 0o666) : before.mode & 0o777
  const temporary = join(folder, `.kubesync-${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      if (before !== undefined) await file.chmod(mode)
      if (options.isDurable === true) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
