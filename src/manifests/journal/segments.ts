import { closeSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../../errors.ts'

/** In bytes and milliseconds. A segment is closed when it is so large or so old; closed ones go, oldest first. */
const limits = { segment: 8 * 2 ** 20, all: 64 * 2 ** 20, open: 30 * 86_400_000, keep: 90 * 86_400_000 }

/** The text of a journal: of its closed segments, oldest first, and of the one that is written to. */
export async function readSegments(path: string): Promise<string> {
  const texts = await Promise.all([...closedOf(path), path].map(textAt))
  return texts.join('\n')
}

async function textAt(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    // One that another process has just closed or forgotten, or that is not there yet.
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  })
}

function closedOf(path: string): string[] {
  try {
    const names = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`))
    return names
      .filter((name) => /\.\d+$/.test(name))
      .sort()
      .map((name) => join(dirname(path), name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Closes the segment that is written to if it is full or old: whether it did. Renamed, it takes what others are just appending. */
export function closeSegment(path: string, now = Date.now()): boolean {
  try {
    const { size } = statSync(path)
    if (size < limits.segment && now - beginOf(path, now) < limits.open) return false
    renameSync(path, `${path}.${now}`)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** When its first write was recorded. */
function beginOf(path: string, now: number): number {
  const head = Buffer.alloc(512)
  const file = openSync(path, 'r')
  try {
    readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  const at = /"at":"([^"]+)"/.exec(head.toString())?.[1]
  return at === undefined ? now : Date.parse(at)
}

/**
 * Removes closed segments that are too old, or that are too many, oldest first, up to one that is still needed: it may be undone, or
 * nobody knows how it ended.
 */
export async function forgetSegments(path: string, isNeeded: (text: string) => boolean): Promise<void> {
  const segments = closedOf(path).flatMap((segment) => {
    const found = statSync(segment, { throwIfNoEntry: false })
    return found === undefined ? [] : [{ segment, size: found.size, mtimeMs: found.mtimeMs }]
  })
  let all = segments.reduce((sum, { size }) => sum + size, 0)
  for (const { segment, size, mtimeMs } of segments) {
    const isOver = all > limits.all || Date.now() - mtimeMs > limits.keep
    if (!isOver || isNeeded(await textAt(segment))) return
    rmSync(segment, { force: true })
    all -= size
  }
}

/** How many operations were forgotten: their numbers are not given again. */
export async function forgottenIn(path: string): Promise<number> {
  return Number(await textAt(`${path}.forgotten`)) || 0
}

export async function setForgotten(path: string, count: number): Promise<void> {
  await writeFile(`${path}.forgotten`, String(count), { mode: 0o600 })
}
