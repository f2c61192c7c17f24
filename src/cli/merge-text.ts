import { join } from 'node:path'
import { KubesyncError } from '../errors.ts'
import { printableLines } from '../ui/text.ts'
import { confirm } from './ask.ts'
import type { Cli } from './io.ts'
import { noWatch } from './spec-path.ts'
import { unifiedDiff } from './unified.ts'

/** A conflict that a person points to. */
export interface Target {
  readonly socket: string
  readonly spec: string
  readonly path: string
  readonly pod?: string | undefined
  /** The spec's folder. */
  readonly root: string
}

/**
 * Merges both versions of a text, after it was shown what that changes on either side and a person agreed (`yes`: it
 * did before). Returns whether it was done; rejects with NOT_MERGED where it cannot be.
 */
export async function mergeShown(cli: Cli, target: Target, yes: boolean): Promise<boolean> {
  const { askContent, askMerge, askMerged } = await import('../daemon/client.ts')
  const { socket, root, ...spot } = target
  const { path } = spot
  const { ask, stderr } = cli.io
  const merged = await askMerge(socket, spot)
  const remote = merged && (await askContent(socket, spot))
  if (merged === undefined || remote === undefined) throw noWatch(cli)
  for (const [side, what] of [['local', join(root, path)] as const, ['remote', remote] as const]) {
    const shown = await unifiedDiff(
      { label: `${side}/${path}`, what },
      { label: `merged/${path}`, what: merged.content },
    )
    stderr.write(printableLines(shown.output))
  }
  if (!yes && ask === undefined) {
    throw new KubesyncError('NOT_CONFIRMED', 'there is nobody to ask whether to merge this', {
      hint: 'say `--yes` if it is right',
    })
  }
  if (!yes && ask !== undefined && !(await confirm(ask, `Merge ${path} like this, on both sides?`)))
    return false
  if (!(await askMerged(socket, spot, merged.versions))) throw noWatch(cli)
  return true
}
