import type { Identity } from '../order/references.ts'
import type { Manifest } from './documents.ts'

/** Where new files go, unless something else is recognised or configured. */
export const defaultLayout = '{namespace}/{kind}/{name}.yaml'

/** Layouts that are recognised in a folder, from the most common. */
const known = [
  defaultLayout,
  '{namespace}/{name}.yaml',
  '{namespace}/{name}-{kind}.yaml',
  '{namespace}/{kind}-{name}.yaml',
  '{kind}/{name}.yaml',
  '{kind}s/{name}.yaml',
  '{name}/{kind}.yaml',
  '{name}-{kind}.yaml',
  '{kind}-{name}.yaml',
  '{name}.{kind}.yaml',
  '{name}.yaml',
] as const

/** What stands for the namespace of objects that have none. */
const clusterWide = '_cluster'

/** The file that a layout has for an object. Kinds are in lower case; what cannot be in a file's name is escaped. */
export function fileFor(layout: string, identity: Identity): string {
  const values: Readonly<Record<string, string>> = {
    namespace: identity.namespace ?? clusterWide,
    kind: identity.kind.toLowerCase(),
    group: identity.group || 'core',
    name: identity.name,
  }
  return layout.replace(/\{(\w+)\}/g, (whole, key: string) => escaped(values[key] ?? whole))
}

/** Slashes and what Windows does not have in names; RBAC names with colons are the common case. */
function escaped(text: string): string {
  return text.replace(
    /[/\\:*?"<>|%]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/**
 * The layout that most of a folder's objects follow, with the extension that most have; undefined where fewer
 * than half do, or there is nothing to go by.
 */
export function recogniseLayout(manifests: readonly Manifest[]): string | undefined {
  const counted = known.map((layout) => ({
    layout,
    count: manifests.filter(({ file, identity }) => bare(file) === bare(fileFor(layout, identity))).length,
  }))
  const best = counted.reduce((a, b) => (b.count > a.count ? b : a))
  if (best.count === 0 || best.count * 2 < manifests.length) return undefined
  return best.layout.replace(/\.yaml$/, mostFrequentExtension(manifests))
}

function bare(file: string): string {
  return file.replace(/\.(ya?ml|json)$/, '')
}

function mostFrequentExtension(manifests: readonly Manifest[]): string {
  const extensions = manifests.map(({ file }) => /\.(?:ya?ml|json)$/.exec(file)?.[0] ?? '.yaml')
  const count = (extension: string) => extensions.filter((one) => one === extension).length
  return ['.yaml', '.yml', '.json'].reduce((a, b) => (count(b) > count(a) ? b : a))
}
