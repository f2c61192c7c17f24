import { type Figure, isMet, type Reach, type Row } from './figures.ts'

const NAME_WIDTH = 28

/** A row for a terminal. */
export function printed({ title, figures, reaches }: Row): string {
  const lines = figures.map((one) => {
    const spread = one.runs !== undefined && one.runs.length > 1 ? `  ${spreadOf(one)}` : ''
    const note = one.note === undefined ? '' : `  (${one.note})`
    return `  ${one.who.padEnd(NAME_WIDTH)}${shown(one.value).padStart(9)} ${one.unit}${spread}${note}`
  })
  const met = reaches.map((reach) => `  ${describeReach(reach)}`)
  return ['', title, ...lines, ...met].join('\n')
}

export function describeReach(reach: Reach): string {
  const verdict = { true: 'reached', false: 'NOT reached', undefined: 'not measured' }[String(isMet(reach))]
  return `${shown(reach.value)} ${reach.what}, asked: ≤ ${reach.limit}: ${verdict}`
}

export function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}

function spreadOf({ runs = [] }: Figure): string {
  return `[${shown(Math.min(...runs))} … ${shown(Math.max(...runs))}, ${runs.length} runs]`
}

/** All rows for the report. */
export function markdown(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ title, figures, reaches }) => {
    const values = figures.map(({ who, value, unit, note }) => {
      const text = value === undefined ? `– (${note ?? 'not measured'})` : `${shown(value)} ${unit}`
      return `${who} ${text}`
    })
    const asked = reaches.map(({ what, limit }) => `≤ ${limit} ${what}`)
    const got = reaches.map((reach) => `${shown(reach.value)}${isMet(reach) === true ? ' ✓' : ' ✗'}`)
    const cells = [title, ...[values, asked, got].map((lines) => lines.join('<br>'))]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return ['| work | figures, medians | asked | reached |', '|---|---|---|---|', ...lines].join('\n')
}
