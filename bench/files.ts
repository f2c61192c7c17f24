// File sync beside what people use today: every row of the table in bench/REPORT.md, on tmpfs, medians of 5.
//   KUBECONFIG=… node bench/run.mjs files [--quick] [--only ROW]… [--report] [--json FILE]
// Rows: up, down, local, edits, burst, start, idle, delta, replicas, reload, growth. It needs a cluster whose node is this machine.
import { rmSync, writeFileSync } from 'node:fs'
import { down, fanOut, local, up } from './files/bulk.ts'
import { headInsert } from './files/delta.ts'
import { live } from './files/edits.ts'
import { firstLine, missing, type Row } from './files/figures.ts'
import { growthPlot, growthTable } from './files/growth.ts'
import { closeLab, openLab } from './files/lab.ts'
import { localSync } from './files/local-sync.ts'
import { runRelay } from './files/meter.ts'
import { preparePeers } from './files/peers.ts'
import { reload } from './files/reload.ts'
import { machine, putIntoReport, putPlot } from './files/report.ts'
import { json, only, quick, report, scratch } from './files/settings.ts'
import { idleRow, measureStanding, type Standing, startRow } from './files/standing.ts'
import { markdown, printed } from './files/table.ts'

const SIZES = quick ? [10_000, 100_000] : [10_000, 100_000, 500_000]
/** The size that the rows are about. */
const STANDING = 100_000

const standings: Standing[] = []

async function standing(): Promise<Row[]> {
  const sizes = isWanted('growth') ? SIZES : [STANDING]
  for (const files of sizes) standings.push(await measureStanding(files))
  return standings.filter(({ files }) => files === STANDING).flatMap((one) => [startRow(one), idleRow(one)])
}

/** What is measured together, by the rows that come of it. */
const parts: readonly (readonly [rows: readonly string[], measure: () => Promise<Row | Row[]>])[] = [
  [['local'], local],
  [['up'], up],
  [['down'], down],
  [['edits', 'burst'], live],
  [['delta'], headInsert],
  [['replicas'], fanOut],
  [['reload'], reload],
  [['start', 'idle', 'growth'], standing],
]

function isWanted(row: string): boolean {
  return only.length === 0 || only.includes(row)
}

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [names, measure] of parts) {
    if (!names.some(isWanted)) continue
    const found = await measure().catch((error) => names.map((name) => failed(name, error)))
    for (const row of [found].flat()) {
      console.log(printed(row))
      rows.push(row)
    }
  }
  return rows
}

/** One row that cannot be measured is no reason to have none. */
function failed(name: string, error: unknown): Row {
  console.error(error)
  return { name, title: name, figures: [missing('kubesync', '', firstLine(error))], reaches: [] }
}

async function main(): Promise<void> {
  preparePeers()
  const needsLab = only.length !== 1 || only[0] !== 'local'
  try {
    if (needsLab) openLab()
    const rows = await measureAll()
    if (standings.length > 1) console.log(`\n${growthTable(standings)}`)
    if (json !== undefined)
      writeFileSync(json, JSON.stringify({ machine: machine(), rows, standings }, null, 2))
    if (report) {
      putIntoReport('machine', machine())
      putIntoReport('figures', markdown(rows))
      putIntoReport('growth', growthTable(standings))
      putPlot(growthPlot(standings))
    }
  } finally {
    if (needsLab) closeLab()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const [, , command, ...rest] = process.argv
if (command === 'local-sync') {
  const [from = '', to = '', state = ''] = rest
  await localSync(from, to, state)
} else if (command === 'relay') runRelay()
else await main()
