import { type SettingSource, setting } from '../../config/settings.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import type { ConfigOptions, ConfirmOptions } from '../options.ts'
import { describeHint } from '../report.ts'

/** Whether a cluster may be written to: a protected one only by whoever spells the context's name. */
export async function mayWrite(
  cli: Cli,
  { context }: { readonly context: string },
  options: ConfigOptions & ConfirmOptions,
): Promise<boolean> {
  const { settingsOf } = await import('../where.ts')
  if (!isProtected(context, await settingsOf(cli, options))) return true
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

/** Whether a context is one of those that are protected. */
export function isProtected(context: string, settings: SettingSource): boolean {
  return setting('protectedContexts', settings).some((pattern) => isLike(pattern, context))
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
