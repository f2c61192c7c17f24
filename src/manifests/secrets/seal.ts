import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf } from '../../errors.ts'

/** Keeps texts so that nobody reads them who does not have the key. */
export interface Sealer {
  /** Bound to what it is about: sealed for one thing, it does not open as another. */
  seal(text: string, about: string): string
  /** Undefined for what was sealed with another key or about something else, or was damaged. */
  open(sealed: string, about: string): string | undefined
}

/** Where the key is, below the folder of kubesync's state. */
export function keyIn(state: string): string {
  return join(state, 'manifests', 'key')
}

/** In bytes; of AES-256, of GCM's nonce and of its tag (NIST SP 800-38D). */
const sizes = { key: 32, nonce: 12, tag: 16 }
const cipher = 'aes-256-gcm'

/**
 * Seals with a random key that is kept in a file of mode 0600, made when it is first needed. If the file is lost or damaged, another key
 * takes its place, and what was sealed before stays closed.
 */
export function openSealer(path: string): Sealer {
  let known: Buffer | undefined
  const readKey = () => {
    known ??= keyAt(path)
    return known
  }
  return {
    seal(text, about) {
      const key = readKey() ?? makeKey(path)
      const nonce = randomBytes(sizes.nonce)
      const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(about))
      const content = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
      return Buffer.concat([nonce, sealing.getAuthTag(), content]).toString('base64')
    },
    open(sealed, about) {
      const key = readKey()
      const bytes = Buffer.from(sealed, 'base64')
      const from = sizes.nonce + sizes.tag
      if (key === undefined || bytes.length < from) return undefined
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, sizes.nonce), {
        authTagLength: sizes.tag,
      })
      opening.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(sizes.nonce, from))
      try {
        return Buffer.concat([opening.update(bytes.subarray(from)), opening.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

function keyAt(path: string): Buffer | undefined {
  try {
    const key = readFileSync(path)
    return key.length === sizes.key ? key : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and one for all processes that make it at once. */
function makeKey(path: string): Buffer {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(temporary, randomBytes(sizes.key), { mode: 0o600, flag: 'wx', flush: true })
    try {
      linkSync(temporary, path)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      if (keyAt(path) === undefined) renameSync(temporary, path)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  const key = keyAt(path)
  if (key === undefined) throw new Error(`${path} is no key`)
  return key
}
