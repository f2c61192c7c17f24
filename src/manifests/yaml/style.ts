import { isMap, isScalar, isSeq, type Node, visit } from 'yaml'
import { columnOf } from './text.ts'

/** How a file is written, as far as new lines in it have to fit in. */
export interface Style {
  readonly newline: '\n' | '\r\n'
  /** Columns from a map's keys to those of a map below it. */
  readonly indent: number
  /** Whether the dashes of a list stand further right than the key of the list. */
  readonly indentSeq: boolean
}

/** What most of the text does; two columns and kubectl's lists where there is nothing to go by. */
export function styleOf(text: string, root: Node | null): Style {
  const steps: number[] = []
  const lists: boolean[] = []
  visit(root, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !key.range || !isCollection(value) || value.flow || !value.range) return
      const step = columnOf(text, value.range[0]) - columnOf(text, key.range[0])
      if (isSeq(value)) lists.push(step > 0)
      else if (step > 0) steps.push(step)
    },
  })
  const indented = lists.filter(Boolean).length
  return {
    newline: /\r\n/.test(text) ? '\r\n' : '\n',
    indent: mostFrequent(steps) ?? 2,
    indentSeq: indented > lists.length - indented,
  }
}

function isCollection(node: unknown) {
  return isMap(node) || isSeq(node)
}

function mostFrequent(numbers: readonly number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}
