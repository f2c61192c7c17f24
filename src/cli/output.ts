import { printableJson, printableLines } from '../ui/text.ts'
import type { Cli } from './io.ts'
import type { OutputFormat } from './options.ts'

export interface Printed {
  readonly format: OutputFormat | undefined
  /** What `json` and `yaml` print. */
  readonly data: unknown
  /** What `name` prints, one a line. */
  readonly names: readonly string[]
}

/** Prints data as `-o` wants it; `table` makes what is printed without it, and with `wide`. */
export async function printData(cli: Cli, printed: Printed, table: () => string): Promise<void> {
  const { stdout } = cli.io
  const text = await format(printed, table)
  // What another program reads is left as it is; what a terminal shows must not steer it.
  stdout.write(stdout.isTTY === true ? printableLines(text) : text)
}

async function format({ format, data, names }: Printed, table: () => string): Promise<string> {
  if (format === 'json') return `${printableJson(JSON.stringify(data, null, 2))}\n`
  if (format === 'name') return names.map((name) => `${name}\n`).join('')
  if (format !== 'yaml') return table()
  const { stringify } = await import('yaml')
  return stringify(data, { lineWidth: 0 })
}
