import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Puts a whole new file (0600) in place of an old one: whoever reads, also after a crash, sees one or the
 * other. False, and nothing is changed, if `still` says at the last moment that it should not be.
 */
export async function replaceFile(path: string, text: string, still = async () => true): Promise<boolean> {
  const folder = dirname(path)
  const temporary = join(folder, `.new-${randomBytes(8).toString('hex')}`)
  try {
    await write(temporary, text)
    if (!(await still())) return false
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  const directory = await open(folder, 'r')
  await directory.sync().finally(() => directory.close())
  return true
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
