// Runs a measurement: `node bench/run.mjs exec [arguments]`. Node 20 cannot run TypeScript: it is bundled first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const [name = '', ...args] = process.argv.slice(2)
const input = join(dirname(fileURLToPath(import.meta.url)), `${name}.ts`)
const dir = await mkdtemp(join(tmpdir(), 'kubesync-bench-'))
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
