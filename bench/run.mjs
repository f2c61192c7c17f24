// Runs a measurement: `node bench/run.mjs exec [arguments]`. Node 20 cannot run TypeScript: it is bundled first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const [name = '', ...args] = process.argv.slice(2)
const here = dirname(fileURLToPath(import.meta.url))
const input = join(here, `${name}.ts`)
// Beside the files that the command line starts workers and agents from.
const dir = await mkdtemp(join(here, '../dist/bench-'))
try {
  const define = { KUBESYNC_VERSION: JSON.stringify('bench') }
  const build = await rolldown({ input, platform: 'node', transform: { define, target: 'node20' } })
  await build.write({ dir, format: 'esm', entryFileNames: 'main.mjs' })
  await build.close()
  const child = spawn(process.execPath, [join(dir, 'main.mjs'), ...args], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
} finally {
  await rm(dir, { recursive: true, force: true })
}
