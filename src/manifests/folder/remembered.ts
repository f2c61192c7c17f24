import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { JsonMap } from '../value.ts'
import type { Documents, Manifest, TextFile } from './documents.ts'
import { putFile } from './put.ts'

const map = v.custom<JsonMap>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
const rememberedSchema = v.object({
  version: v.literal(1),
  files: v.array(
    v.object({
      digest: v.string(),
      manifests: v.array(
        v.object({
          document: v.number(),
          at: v.array(v.union([v.string(), v.number()])),
          object: map,
          identity: v.object({
            group: v.string(),
            kind: v.string(),
            namespace: v.optional(v.string()),
            name: v.string(),
          }),
        }),
      ),
    }),
  ),
})
type Remembered = v.InferOutput<typeof rememberedSchema>['files'][number]

/**
 * Reads files by `parse`, which is slow, and keeps what it made of those without remarks and Secrets: the same text is read once. What is
 * kept and damaged is parsed again.
 */
export async function readRemembered(
  files: readonly TextFile[],
  store: string,
  parse: (file: TextFile) => Promise<Documents>,
): Promise<Documents[]> {
  const known = await load(store)
  const kept: Remembered[] = []
  const read: Documents[] = []
  for (const file of files) {
    const digest = createHash('sha256').update(file.text).digest('base64')
    const found = known.get(digest)
    const documents =
      found === undefined
        ? await parse(file)
        : {
            manifests: found.manifests.map((one): Manifest => ({ ...placed(one), file: file.path })),
            remarks: [],
          }
    read.push(documents)
    const isOpen = documents.manifests.every(({ identity }) => identity.kind !== 'Secret')
    if (isOpen && documents.remarks.length === 0)
      kept.push({ digest, manifests: documents.manifests.map(placed) })
  }
  if (kept.every(({ digest }) => known.has(digest))) return read
  // What was not asked for this time may be next time, up to a point.
  const all = new Map([...kept.map((one) => [one.digest, one] as const), ...known])
  const few = [...all.values()].slice(0, Math.max(2 * kept.length, 1000))
  await putFile(store, JSON.stringify({ version: 1, files: few }), { mode: 0o600 })
  return read
}

function placed({ document, at, object, identity }: Remembered['manifests'][number] | Manifest) {
  return { document, at: [...at], object, identity: { ...identity, namespace: identity.namespace } }
}

async function load(store: string): Promise<Map<string, Remembered>> {
  try {
    const { files } = v.parse(rememberedSchema, JSON.parse(await readFile(store, 'utf8')))
    return new Map(files.map((file) => [file.digest, file]))
  } catch {
    return new Map()
  }
}
