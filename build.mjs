// Bundles the command line (code-split, so that heavy parts load when they are used), the worker that
// holds the local replica, and the agent: one CommonJS file, because it is evaluated from memory.
import { chmod, copyFile, readFile, rm } from 'node:fs/promises'
import { rolldown } from 'rolldown'

const { version } = JSON.parse(await readFile('package.json', 'utf8'))
const define = { KUBESYNC_VERSION: JSON.stringify(version) }

/**
 * Of client-node only its configuration is used. That imports the clients of all of Kubernetes' APIs for a method that is never called, and
 * reading them took longer than all else at the start of a command.
 */
const withoutClients = {
  name: 'without-clients',
  resolveId: (source, importer) =>
    source === './gen/index.js' && /client-node\/dist\/config\.js$/.test(importer ?? '')
      ? '\0no-clients'
      : null,
  load: (id) =>
    id === '\0no-clients'
      ? 'export const createConfiguration = undefined, ServerConfiguration = undefined'
      : null,
}

async function bundle(input, output) {
  const build = await rolldown({
    input,
    platform: 'node',
    transform: { define, target: 'node20' },
    plugins: [withoutClients],
    treeshake: true,
    checks: { eval: false },
  })
  await build.write({ dir: 'dist', minify: false, ...output })
  await build.close()
}

await rm('dist', { recursive: true, force: true })
await bundle(
  { cli: 'src/cli/main.ts', 'replica-worker': 'src/files/replica/worker.ts' },
  {
    format: 'esm',
    chunkFileNames: 'chunks/[name]-[hash].js',
    banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
  },
)
await bundle(
  { agent: 'src/agent/main.ts' },
  { format: 'cjs', codeSplitting: false, entryFileNames: 'agent.cjs' },
)
await copyFile('src/sandbox/kubernetes.json', 'dist/kubernetes.json')
await chmod('dist/cli.js', 0o755)
