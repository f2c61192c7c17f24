import type { ClusterName } from '../../manifests/plan/plan.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import type { WriteOptions } from './common.ts'

/** Whether a cluster may be written to: a protected one only by whoever spells the context's name. */
export async function mayWrite(cli: Cli, { context }: ClusterName, options: WriteOptions): Promise<boolean> {
  const { setting } = await import('../../config/settings.ts')
  const { settingsOf } = await import('../where.ts')
  const protectedContexts = setting('protectedContexts', await settingsOf(cli, options))
  if (!protectedContexts.some((pattern) => isLike(pattern, context))) return true
  if (options.confirmContext === context) return true
  const { ask, stderr } = cli.io
  const answer = await ask?.(`${printable(context)} is protected. Its name, if you mean it:`)
  if (answer === context) return true
  const flag = `--confirm-context ${context}`
  stderr.write(
    describeHint(`nothing was written: ${context} is protected; ${flag} says that it is meant`, stderr),
  )
  return false
}

/** `prod-*`: a star stands for anything. */
function isLike(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const last = rest.pop() ?? ''
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false
  let from = first.length
  return rest.every((part) => {
    const at = name.indexOf(part, from)
    from = at + part.length
    return at !== -1 && from <= name.length - last.length
  })
}
