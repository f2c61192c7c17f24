import { type Identity, identityOf, nameOf } from '../order/references.ts'
import { isMap, type Json, type JsonMap, type Path } from '../value.ts'
import { parseYaml } from '../yaml/parse.ts'

/** A file of a folder of manifests. Paths are relative to the folder, with `/` between names. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** An object in a file. */
export interface Manifest {
  readonly file: string
  /** Which of the file's documents it is, or is in. */
  readonly document: number
  /** From the document's root to the object: empty, or into the items of a List. */
  readonly at: Path
  readonly object: JsonMap
  readonly identity: Identity
}

/** What is not taken for a manifest, or not understood, and why. */
export interface Remark {
  readonly file: string
  readonly reason: string
  /** Whether it is a mistake that somebody has to mend; else it is left alone. */
  readonly isProblem: boolean
  readonly line?: number
  readonly column?: number
  /** The line itself. */
  readonly source?: string
}

export interface Documents {
  readonly manifests: readonly Manifest[]
  readonly remarks: readonly Remark[]
}

/** Reads the objects in files. Never throws: what is wrong with one file is a remark, and the others go on. */
export function readDocuments(files: readonly TextFile[]): Documents {
  return putTogether(files.map(readOne))
}

/** What several files hold; an object that is in two of them is in none. */
export function putTogether(read: readonly Documents[]): Documents {
  const manifests = read.flatMap((one) => one.manifests)
  const remarks = read.flatMap((one) => one.remarks)
  return withoutDoubles({ manifests, remarks })
}

/** Reads one file. */
export function readOne({ path: file, text }: TextFile): Documents {
  const left = (reason: string): Documents => ({
    manifests: [],
    remarks: [{ file, reason, isProblem: false }],
  })
  const line = text.split('\n').findIndex((one) => one.startsWith('<<<<<<< ')) + 1
  if (line > 0 && /^>{7} /m.test(text)) {
    const reason = "it has git's conflict markers in it"
    return { manifests: [], remarks: [{ file, reason, isProblem: true, line }] }
  }
  const documents = parseYaml(text)
  const isBroken = documents.some(({ problems }) => problems.length > 0)
  if (isBroken && /\{\{-?\s*[\w.$(/]/.test(text)) return left('it is a template: it has {{ … }} in it')
  const all = documents.map(({ value, problems }, document) => {
    const [first] = problems
    if (first !== undefined) {
      const { message: reason, ...place } = first
      return { manifests: [], remarks: [{ file, reason, isProblem: true, ...place }] }
    }
    return readDocument(value, { file, document })
  })
  return { manifests: all.flatMap((one) => one.manifests), remarks: all.flatMap((one) => one.remarks) }
}

function readDocument(value: Json, where: { file: string; document: number }): Documents {
  const remark = (reason: string, isProblem: boolean): Documents => ({
    manifests: [],
    remarks: [{ file: where.file, reason, isProblem }],
  })
  if (value === null) return { manifests: [], remarks: [] }
  if (!isMap(value) || value.apiVersion === undefined || value.kind === undefined) {
    return remark('it is no Kubernetes object: apiVersion or kind is missing', false)
  }
  if (value.sops !== undefined) return remark('it is encrypted with sops', false)
  const foreign = tools.find(([apiVersion]) => String(value.apiVersion).startsWith(apiVersion))
  if (foreign !== undefined) return remark(foreign[1], false)
  if (Array.isArray(value.items) && String(value.kind).endsWith('List')) {
    const items = value.items.map((item, index) => readObject(item, { ...where, at: ['items', index] }))
    return { manifests: items.flatMap((one) => one.manifests), remarks: items.flatMap((one) => one.remarks) }
  }
  return readObject(value, { ...where, at: [] })
}

/** What other tools keep in YAML beside manifests. */
const tools: readonly (readonly [apiVersion: string, reason: string])[] = [
  ['kustomize.config.k8s.io/', 'it is what kustomize builds from'],
  ['skaffold/', 'it is what Skaffold is configured with'],
]

function readObject(value: Json, where: Pick<Manifest, 'file' | 'document' | 'at'>): Documents {
  const identity = isMap(value) ? identityOf(value) : undefined
  if (!isMap(value) || identity === undefined) {
    return {
      manifests: [],
      remarks: [{ file: where.file, reason: 'an object in it has no name', isProblem: true }],
    }
  }
  const { name } = identity
  if (/[/%]|^\.{1,2}$/.test(name) || name === '') {
    const reason = `\`${name}\` cannot be the name of an object`
    return { manifests: [], remarks: [{ file: where.file, reason, isProblem: true }] }
  }
  return { manifests: [{ ...where, object: value, identity }], remarks: [] }
}

/** An object that is written twice is in neither place: nobody can say which one is meant. */
function withoutDoubles({ manifests, remarks }: Documents): Documents {
  const places = new Map<string, Manifest[]>()
  for (const manifest of manifests) {
    const name = nameOf(manifest.identity)
    places.set(name, [...(places.get(name) ?? []), manifest])
  }
  const doubles = [...places].filter(([, all]) => all.length > 1)
  const told = doubles.flatMap(([name, all]) => {
    const where = [...new Set(all.map(({ file }) => file))]
    const reason =
      where.length > 1 ? `${name} is also in ${where.slice(1).join(', ')}` : `${name} is in it twice`
    return [{ file: where[0] ?? '', reason, isProblem: true }]
  })
  const names = new Set(doubles.map(([name]) => name))
  return {
    manifests: manifests.filter(({ identity }) => !names.has(nameOf(identity))),
    remarks: [...remarks, ...told],
  }
}
