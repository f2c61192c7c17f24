import { readdirSync } from 'node:fs'
import type { Listing } from './dir.ts'

const REPLACEMENT = '\ufffd'

/** Lists the directory at a path. Only one with doubtful names is read a second time, as bytes. */
export function listNames(path: string): Listing {
  const names = readdirSync(path)
  if (!names.some((name) => name.includes(REPLACEMENT))) return { names, undecodable: [] }
  const decoded: string[] = []
  const undecodable: string[] = []
  for (const bytes of readdirSync(path, { encoding: 'buffer' })) {
    const name = bytes.toString()
    if (Buffer.from(name).equals(bytes)) decoded.push(name)
    else undecodable.push(name)
  }
  return { names: decoded, undecodable: undecodable.filter((name) => !decoded.includes(name)) }
}
