import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '../../config/replace.ts'
import { errnoOf, KubesyncError, messageOf } from '../../errors.ts'
import { type KeepOrder, orderSchema } from './order.ts'

const writtenSchema = v.object({ version: v.literal(1), keeps: v.array(orderSchema) })

/** What is to go on after a restart, as it was written down; nothing if there is no such file. Rejects with KEEPS_UNREADABLE. */
export async function readKeeps(path: string): Promise<readonly KeepOrder[]> {
  try {
    return v.parse(writtenSchema, JSON.parse(await readFile(path, 'utf8'))).keeps
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw new KubesyncError('KEEPS_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      hint: 'it says which folders of manifests are kept in step in the background; remove it, and start those again',
    })
  }
}

export async function writeKeeps(path: string, keeps: readonly KeepOrder[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, `${JSON.stringify({ version: 1, keeps }, null, 2)}\n`)
}

/** Takes out that of a folder, or all; the folders. For when no process runs, which would write down its own. */
export async function forgetKeeps(path: string, folder: string | undefined): Promise<string[]> {
  const known = await readKeeps(path)
  const forgotten = known.filter((one) => folder === undefined || one.folder === folder)
  if (forgotten.length > 0)
    await writeKeeps(
      path,
      known.filter((one) => !forgotten.includes(one)),
    )
  return forgotten.map((one) => one.folder)
}
