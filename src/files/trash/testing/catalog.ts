import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Catalog, type Item, openCatalog } from '../catalog.ts'
import { CONTENT, storeName } from '../layout.ts'

/** What is in the trash, until the test is over. */
export async function catalogOf(home: string): Promise<Catalog> {
  const catalog = await openCatalog(home)
  onTestFinished(() => catalog.close())
  return catalog
}

/** What is in the trash of a folder, each as `path: content`, sorted. */
export async function keptIn(home: string): Promise<string[]> {
  const catalog = await openCatalog(home)
  try {
    return catalog.items.map((item) => `${item.path}: ${contentOf(home, item)}`).sort()
  } finally {
    catalog.close()
  }
}

/** The content of a file, the target of a link, or that it is a directory. */
export function contentOf(home: string, { place, pass, path, kind }: Item): string {
  const at = join(home, storeName(place.root), pass, CONTENT, path)
  if (kind === 'directory') return 'directory'
  return kind === 'symlink' ? `-> ${readlinkSync(at)}` : readFileSync(at, 'latin1')
}
