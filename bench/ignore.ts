// What an ignored tree costs: a folder of 1,000 files with and without 50,000 more that are ignored, medians of 5.
// `node bench/run.mjs ignore`
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { noRules } from '../src/files/ignore/rule-set.ts'
import { Rules } from '../src/files/ignore/rules.ts'
import { openLocalReplica } from '../src/files/replica/local.ts'
import type { RulesToFollow } from '../src/files/replica/ruling.ts'

const ignoring: RulesToFollow = {
  rules: { ...noRules, vcs: true, patterns: ['node_modules/', '*.log', '/build/**/*.map', '*.py[cod]'] },
  reads: ['ksyncignore', 'gitignore', 'exclude'],
}
const scratch = mkdtempSync('/dev/shm/kubesync-bench-')

function make(root: string, directories: number): string {
  for (let d = 0; d < directories; d++) {
    mkdirSync(join(root, `d${d}`), { recursive: true })
    for (let f = 0; f < 50; f++) writeFileSync(join(root, `d${d}/file-${f}.ts`), '')
  }
  return root
}

async function scan(what: string, root: string, orders?: RulesToFollow): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 5; run++) {
    const started = performance.now()
    const replica = await openLocalReplica(root, orders === undefined ? {} : { orders })
    times.push(performance.now() - started)
    await replica.close()
  }
  console.log(`${what}: ${times.toSorted((a, b) => a - b)[2]?.toFixed(0)} ms`)
}

try {
  const alone = make(join(scratch, 'alone'), 20)
  const beside = make(join(scratch, 'beside'), 20)
  make(join(beside, 'node_modules'), 1000)
  await scan('1,000 files', alone, ignoring)
  await scan('1,000 files beside 50,000 that are ignored', beside, ignoring)
  await scan('the same 51,000 files, none ignored', beside)
  const rules = new Rules(ignoring.rules)
  const started = performance.now()
  for (let i = 0; i < 100_000; i++) rules.verdict(`src/d${i >> 6}`, `file-${i}.ts`)
  console.log(`100,000 names judged: ${(performance.now() - started).toFixed(0)} ms`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
