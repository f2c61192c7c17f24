import { printable } from './text.ts'

const gap = '   '

/**
 * Columns as kubectl prints them: upper-case headers, three spaces between columns, nothing after the last.
 * Cells are escaped, so that a name cannot break the table. Ends with a newline.
 */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headers.map((header) => header.toUpperCase()), ...rows.map((row) => row.map(printable))]
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)))
  return cells.map((row) => `${formatRow(row, widths)}\n`).join('')
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
    .join(gap)
    .trimEnd()
}
