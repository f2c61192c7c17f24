import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where a file that was built beside the command line is. The code that asks may have been bundled into
 * dist itself or into a chunk below it, or run from its source in a test, where what is not built lies in its room.
 */
export function assetPath(name: string): string {
  const places = [`./${name}`, `../${name}`, `./sandbox/${name}`, `../dist/${name}`]
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync)
  if (found === undefined) throw new Error(`${name} is missing from this installation`)
  return found
}
