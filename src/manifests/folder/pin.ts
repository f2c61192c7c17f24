import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { errnoOf, KubesyncError } from '../../errors.ts'
import { editYaml } from '../yaml/edit.ts'
import { parseYaml } from '../yaml/parse.ts'
import { putFile } from './put.ts'

/** The file that says to which cluster a folder belongs. */
export const pinName = '.kubesync.yaml'

const pinSchema = v.strictObject({
  /** Of the kubeconfig. */
  context: v.optional(v.string()),
  /** URL of the API server: the same context may lead elsewhere on another machine. */
  server: v.optional(v.string()),
  namespace: v.optional(v.string()),
  /** Where new files go, such as `{namespace}/{kind}/{name}.yaml`. */
  layout: v.optional(v.string()),
})

/** What a folder is pinned to. */
export type Pin = v.InferOutput<typeof pinSchema>

interface PinFound {
  readonly root: string
  readonly pin: Pin
  readonly isPinned: boolean
}

/** The nearest pinned folder, from one upwards; without any, that folder, pinned to nothing. A broken pin is PIN_BROKEN. */
export async function findPin(folder: string): Promise<PinFound> {
  for (let root = folder; ; root = dirname(root)) {
    const text = await readFile(join(root, pinName), 'utf8').catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
      throw error
    })
    if (text !== undefined) return { root, pin: readPin(text, join(root, pinName)), isPinned: true }
    if (dirname(root) === root) return { root: folder, pin: {}, isPinned: false }
  }
}

function readPin(text: string, path: string): Pin {
  const [document, ...more] = parseYaml(text)
  const [problem] = document?.problems ?? []
  const read = v.safeParse(pinSchema, document?.value ?? {})
  if (read.success && problem === undefined && more.length === 0) return read.output
  const reason = problem?.message ?? read.issues?.[0]?.message ?? 'it has more than one document'
  throw new KubesyncError('PIN_BROKEN', `${path} is broken: ${reason}`, {
    hint: 'it may have context, server, namespace and layout',
  })
}

/** Writes into the pin of a folder, and leaves every other byte of it; makes it where there is none. */
export async function changePin(
  folder: string,
  values: { readonly [Name in keyof Pin]?: string },
): Promise<void> {
  const path = join(folder, pinName)
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  })
  const said = Object.entries(values)
  const edited =
    (parseYaml(before)[0]?.value ?? null) === null
      ? { text: `${before}${said.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join('')}` }
      : editYaml(
          before,
          0,
          said.map(([key, value]) => ({ op: 'set', path: [key], value })),
        )
  if ('refused' in edited) throw new KubesyncError('PIN_BROKEN', `${path} ${edited.refused.reason}`)
  await putFile(path, edited.text)
}

/** Refuses another cluster than the one that a folder is pinned to: PINNED_ELSEWHERE. */
export function checkPin(pin: Pin, { context, server }: { context: string; server: string }): void {
  const isThere = (pin.context ?? context) === context && (pin.server ?? server) === server
  if (isThere) return
  throw new KubesyncError(
    'PINNED_ELSEWHERE',
    `this folder belongs to ${pin.context ?? ''} ${pin.server ?? ''}, and not to ${context} ${server}`.replace(
      / +/g,
      ' ',
    ),
    { hint: `${pinName} says so; change it there if that is meant` },
  )
}
