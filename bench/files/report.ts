import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { must } from './run.ts'
import { environment, kubectl } from './settings.ts'

const path = resolve('bench/REPORT.md')

/** Replaces what is between the marks of a part; the words around it are a person's. */
export function putIntoReport(part: string, text: string): void {
  const before = readFileSync(path, 'utf8')
  const [start, end] = [`<!-- ${part} -->`, `<!-- end of ${part} -->`]
  const [head, rest] = before.split(start)
  const tail = rest?.split(end)[1]
  if (head === undefined || tail === undefined) throw new Error(`bench/REPORT.md has no place for ${part}`)
  writeFileSync(path, `${head}${start}\n${text}\n${end}${tail}`)
}

export function putPlot(svg: string): void {
  writeFileSync(resolve('bench/growth.svg'), svg)
}

export function machine(): string {
  const versions: readonly (readonly [string, () => string])[] = [
    ['kubectl', () => must(kubectl, ['version', '--client'], { env: environment })],
    [
      'Kubernetes',
      () =>
        /gitVersion":\s*"([^"]+)/.exec(
          must(kubectl, ['get', '--raw', '/version'], { env: environment }),
        )?.[1] ?? '',
    ],
    ['rsync', () => must('rsync', ['--version'])],
    ['unison', () => must('unison', ['-version'])],
    ['syncthing', () => must('syncthing', ['--version'])],
  ]
  const lines = versions.map(([name, ask]) => `- ${name}: ${firstLineOf(ask)}`)
  const cpu = cpus()
  const memory = (totalmem() / 1e9).toFixed(0)
  return [
    `- ${new Date().toISOString().slice(0, 10)}, ${cpu.length} × ${cpu[0]?.model}, ${memory} GB, Linux ${release()}, Node ${process.version}`,
    '- all files in memory (tmpfs); laptop, API server and node are this one machine',
    ...lines,
  ].join('\n')
}

function firstLineOf(ask: () => string): string {
  try {
    return ask().trim().split('\n')[0] ?? ''
  } catch {
    return 'not there'
  }
}
