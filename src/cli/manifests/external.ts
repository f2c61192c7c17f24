import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubesyncError, messageOf } from '../../errors.ts'
import { renderManifest } from '../../manifests/folder/render.ts'
import { type Facts, remoteOf } from '../../manifests/plan/make.ts'
import type { Prepared } from '../../manifests/survey/facts.ts'
import { equal, isMap, type Json, type JsonMap } from '../../manifests/value.ts'

/**
 * Has a program of the user's compare what differs, as kubectl does with KUBECTL_EXTERNAL_DIFF: it is given two folders
 * with a file for each object, of the cluster and of the files, and writes to the terminal itself. Its exit code.
 */
export async function compareOutside(
  command: string,
  { plan, facts }: Prepared,
  signal: AbortSignal,
): Promise<number> {
  const differing = plan.resources.flatMap(({ id, state }) => {
    const one = facts.get(id)
    return state === 'same' || one === undefined ? [] : [one]
  })
  if (differing.length === 0) return 0
  const folders = await Promise.all(['LIVE-', 'MERGED-'].map((name) => mkdtemp(join(tmpdir(), name))))
  try {
    for (const one of differing) {
      const sides = sidesOf(one)
      for (const [index, folder] of folders.entries()) {
        const [side, name] = [sides[index], fileName(one)]
        await writeFile(join(folder, name), side === undefined ? '' : renderManifest(side, name))
      }
    }
    return await run([...command.trim().split(/\s+/), ...folders], signal)
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
  }
}

function fileName({ apiVersion, identity: { kind, namespace = '', name } }: Facts): string {
  return [apiVersion, kind, namespace, name].join('.').replace(/[/\0]/g, '.')
}

/** What the cluster has, in the terms of the file, and what the file has. */
function sidesOf(facts: Facts): readonly (JsonMap | undefined)[] {
  const [live, file] = [remoteOf(facts), facts.local]
  if (facts.identity.kind !== 'Secret') return [live, file]
  return [hidden(live, { other: file, word: 'before' }), hidden(file, { other: live, word: 'after' })]
}

/** A Secret of whose values only that is said whether they differ, in kubectl's words. */
function hidden(
  object: JsonMap | undefined,
  { other, word }: { other: JsonMap | undefined; word: string },
): JsonMap | undefined {
  if (object === undefined) return undefined
  const hide = (name: string): Json => {
    const [values, others] = [object[name], other?.[name]]
    const isSame = (key: string, value: Json) => isMap(others) && equal(others[key], value)
    if (!isMap(values)) return '***'
    const entries = Object.entries(values)
    return Object.fromEntries(
      entries.map(([key, value]) => [key, isSame(key, value) ? '***' : `*** (${word})`]),
    )
  }
  const names = ['data', 'stringData'].filter((name) => object[name] !== undefined)
  return { ...object, ...Object.fromEntries(names.map((name) => [name, hide(name)])) }
}

function run([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', signal })
    child.on('close', (code) => resolve(code ?? 2))
    child.on('error', (error) => {
      if (signal.aborted) return reject(signal.reason)
      const said = `${program} of KUBECTL_EXTERNAL_DIFF cannot be run: ${messageOf(error)}`
      reject(new KubesyncError('DIFF_FAILED', said))
    })
  })
}
