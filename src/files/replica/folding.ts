import type { Dir } from './dir.ts'

/**
 * Whether a filesystem takes several names for one: those that differ in case only, or in how Unicode composes a
 * character. Found out without writing: something is there by a name that is not listed. That an entry is there does
 * not say then that it has the name that was asked for. Undefined while there is no name to try it with.
 */
export function foldsNames(dir: Dir): boolean | undefined {
  const { names } = dir.list()
  const listed = new Set(names)
  for (const name of names.slice(0, MAX_TRIED)) {
    const other = variantsOf(name).find((variant) => variant !== name && !listed.has(variant))
    if (other !== undefined) return dir.lstat(other) !== undefined
  }
  return undefined
}

const MAX_TRIED = 100

function variantsOf(name: string): string[] {
  return [name.toUpperCase(), name.toLowerCase(), name.normalize('NFC'), name.normalize('NFD')]
}
