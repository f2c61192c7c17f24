import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml'
import { formatPath, type Path, type Step } from '../value.ts'

/** A change that cannot be made in the text without touching what was not meant. */
export class Refused extends Error {
  readonly path: Path

  constructor(path: Path, why: string) {
    super(`${formatPath(path) || 'the document'} ${why}`)
    this.path = path
  }
}

export type Collection = YAMLMap.Parsed | YAMLSeq.Parsed
export type Entry = Pair<ParsedNode, ParsedNode | null>

/** The collection that the last step of a path is in. Throws Refused where the text does not hold it by itself. */
export function collectionAt(root: ParsedNode | null, path: Path): Collection {
  let node: ParsedNode | null = root
  for (const [depth, step] of path.slice(0, -1).entries()) {
    node = childOf(asCollection(node, path.slice(0, depth)), step, path.slice(0, depth + 1))
  }
  return asCollection(node, path.slice(0, -1))
}

/** Where a key or an index is in a collection; -1 if it is not there. */
export function indexOf(collection: Collection, step: Step): number {
  if (!isMap(collection)) return typeof step === 'number' && step < collection.items.length ? step : -1
  return collection.items.findIndex(({ key }) => isScalar(key) && String(key.value) === step)
}

function asCollection(node: ParsedNode | null, path: Path): Collection {
  if (isAlias(node)) throw new Refused(path, `is shared: it stands for what is written at &${node.source}`)
  if (!isMap(node) && !isSeq(node)) throw new Refused(path, 'holds nothing that could be changed by itself')
  return node as Collection
}

function childOf(collection: Collection, step: Step, path: Path): ParsedNode | null {
  const index = indexOf(collection, step)
  if (index === -1) {
    const isMerged =
      isMap(collection) && collection.items.some(({ key }) => isScalar(key) && key.source === '<<')
    throw new Refused(path, isMerged ? 'comes in by a merge key (<<)' : 'is not in the text')
  }
  const item = collection.items[index]
  return isMap(collection) ? ((item as Entry).value ?? null) : (item as ParsedNode)
}
