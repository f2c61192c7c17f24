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
  cli.io.stdout.write(await format(printed, table))
}

async function format({ format, data, names }: Printed, table: () => string): Promise<string> {
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`
  if (format === 'name') return names.map((name) => `${name}\n`).join('')
  if (format !== 'yaml') return table()
  const { stringify } = await import('yaml')
  return stringify(data, { lineWidth: 0 })
}
