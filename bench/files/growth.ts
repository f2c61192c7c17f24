/** How a standing tree's cost grows with it: a table, and a plot as SVG. */
import { median } from './figures.ts'
import type { Standing } from './standing.ts'
import { shown } from './table.ts'

export function growthTable(standings: readonly Standing[]): string {
  const lines = standings.map(({ files, scan, start, laptop, agent }) => {
    const cells = [
      median(scan),
      median(start),
      laptop.megabytes,
      agent.megabytes,
      laptop.percent,
      agent.percent,
    ]
    return `| ${[files.toLocaleString('en'), ...cells.map(shown)].join(' | ')} |`
  })
  const head = [
    '| files | scan of one side, s | start unchanged, s | laptop, MB | agent, MB | laptop idle, % of a core | agent idle, % |',
    '|---|---|---|---|---|---|---|',
  ]
  return [...head, ...lines].join('\n')
}

const WIDTH = 640
const HEIGHT = 360
const LEFT = 60
const RIGHT = 60
const TOP = 40
const BOTTOM = 50

interface Line {
  readonly name: string
  readonly color: string
  readonly of: (standing: Standing) => number
}

const seconds: readonly Line[] = [
  { name: 'scan, s', color: '#2a78d6', of: ({ scan }) => median(scan) },
  { name: 'start unchanged, s', color: '#1baf7a', of: ({ start }) => median(start) },
]
const memory: readonly Line[] = [
  { name: 'laptop, MB', color: '#eb6834', of: ({ laptop }) => laptop.megabytes },
  { name: 'agent, MB', color: '#8a4fd3', of: ({ agent }) => agent.megabytes },
]

/** Seconds on the left, megabytes on the right, both from zero; files from zero too, so that a line is a line. */
export function growthPlot(standings: readonly Standing[]): string {
  const most = Math.max(...standings.map(({ files }) => files))
  const x = (files: number) => LEFT + (files / most) * (WIDTH - LEFT - RIGHT)
  const plot = (lines: readonly Line[], anchor: 'start' | 'end') => {
    const top = roundUp(Math.max(...standings.flatMap((one) => lines.map(({ of }) => of(one)))))
    const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
    const ticks = [0, top / 2, top].map((value) => {
      const at = anchor === 'end' ? LEFT - 8 : WIDTH - RIGHT + 8
      return `<text x="${at}" y="${y(value) + 4}" text-anchor="${anchor}">${shown(value)}</text>`
    })
    return [...ticks, ...lines.flatMap((line) => drawn(line, standings, { x, y }))]
  }
  const axis = `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}V${TOP}`
  const names = [...seconds, ...memory].map(
    ({ name, color }, i) => `<text x="${LEFT + 10 + i * 130}" y="22" fill="${color}">● ${name}</text>`,
  )
  const files = standings.map(
    (one) => `<text x="${x(one.files)}" y="${HEIGHT - 26}" text-anchor="middle">${one.files / 1000}k</text>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12"><title>How it grows with the files of a tree</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><path d="${axis}" fill="none" stroke="#888"/>`,
    ...names,
    ...files,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">files</text>`,
    ...plot(seconds, 'end'),
    ...plot(memory, 'start'),
    '</svg>',
    '',
  ].join('\n')
}

interface Scales {
  readonly x: (files: number) => number
  readonly y: (value: number) => number
}

function drawn({ color, of }: Line, standings: readonly Standing[], { x, y }: Scales): string[] {
  const points = standings.map((one) => [x(one.files), y(of(one))].map((value) => value.toFixed(1)))
  const path = points.map(([at, height]) => `${at},${height}`).join(' ')
  return [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.map(([at, height]) => `<circle cx="${at}" cy="${height}" r="3.5" fill="${color}"/>`),
  ]
}

/** To one, two or five times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power
}
