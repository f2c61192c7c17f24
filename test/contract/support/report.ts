import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestCase, TestModule, TestProject } from 'vitest/node'
import { type Fields, isFields } from './json.ts'

/** What became of each test on a server. */
interface Run {
  readonly server: string
  readonly results: Fields
}

interface Ran {
  /** `watch: events come in the order of the commits` */
  readonly name: string
  readonly needs: readonly string[]
  readonly state: string
}

const dir = fileURLToPath(new URL('../../../node_modules/.cache/kubesync-contract/', import.meta.url))

/**
 * Prints a line a test: what ran on this server and, from the last runs, on others. A test without a need runs
 * everywhere.
 */
export function report(project: TestProject, server: string): void {
  const ran = project.vitest.state
    .getTestModules()
    .filter((module) => module.project.name === project.name)
    .flatMap((module) => [...module.children.allTests()].map((test) => told(module, test)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const saved = savedRuns()
  const here = { server, results: Object.fromEntries(ran.map(({ name, state }) => [name, state])) }
  const before = saved.find((run) => run.server === server)?.results
  save({ server, results: { ...before, ...here.results } })
  const others = saved.filter((run) => run.server !== server)
  process.stdout.write(`\n${table(ran, [here, ...others])}\n`)
}

function told(module: TestModule, test: TestCase): Ran {
  const name = test.fullName.replace(/ \[lacking: .*\]$/, '')
  return {
    name: `${basename(module.moduleId, '.test.ts')}: ${name}`,
    needs: test.meta().needs ?? [],
    state: test.result().state,
  }
}

const marks: Fields = { passed: 'ran', failed: 'FAILED', skipped: '-', pending: '-' }

function table(tests: readonly Ran[], runs: readonly Run[]): string {
  const line = (cells: readonly string[], last: string) =>
    [...cells.map((cell, index) => cell.padEnd(runs[index]?.server.length ?? 0)), last].join('  ')
  const rows = tests.map(({ name, needs }) =>
    line(
      runs.map(({ results }) => String(marks[String(results[name])] ?? '?')),
      needs.length === 0 ? name : `${name} [${needs.join(', ')}]`,
    ),
  )
  const everywhere = tests.filter(({ name }) =>
    runs.every(({ results }) => results[name] === 'passed'),
  ).length
  return [
    'The contract: this run, and the last ones on other servers.',
    line(
      runs.map(({ server }) => server),
      'test [what a server must advertise for it]',
    ),
    ...rows,
    `${everywhere} of ${tests.length} tests ran on ${runs.length === 1 ? 'this server' : `all ${runs.length} servers`}; "-": not advertised there.`,
  ].join('\n')
}

function savedRuns(): Run[] {
  mkdirSync(dir, { recursive: true })
  return readdirSync(dir).flatMap((file) => {
    const saved: unknown = JSON.parse(readFileSync(join(dir, file), 'utf8'))
    if (!isFields(saved) || typeof saved.server !== 'string' || !isFields(saved.results)) return []
    return [{ server: saved.server, results: saved.results }]
  })
}

function save(run: Run): void {
  writeFileSync(join(dir, `${run.server.replace(/[^\w.+-]/g, '-')}.json`), JSON.stringify(run))
}
