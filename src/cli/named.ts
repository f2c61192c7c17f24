import { KubesyncError } from '../errors.ts'

/**
 * Those of these names, each once. Names that are not there are NO_SUCH_SPEC, which has all of them.
 *
 * @param consequence what was not done because of it, for the message.
 */
export function pickNamed<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[],
  consequence = '',
): T[] {
  const unique = [...new Set(names)]
  const unknown = unique.filter((name) => !all.some((one) => one.name === name))
  if (unknown.length === 0) return unique.flatMap((name) => all.filter((one) => one.name === name))
  const none = consequence === '' || unknown.length === unique.length ? '' : `; ${consequence}`
  throw new KubesyncError('NO_SUCH_SPEC', `there is no spec named ${unknown.join(' or ')}${none}`, {
    hint:
      all.length === 0 ? 'there are no specs at all' : `there are: ${all.map(({ name }) => name).join(', ')}`,
  })
}
