import { version } from '../version.ts'

// Nothing is imported here that is not needed to answer at once.
const args = process.argv.slice(2)

if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(`error: kubesync needs Node 20.19 or newer, this is ${process.version}\n`)
  process.exitCode = 1
} else if (args.length === 1 && args[0] === '--version') {
  process.stdout.write(`${version}\n`)
} else {
  const { start } = await import('./start.ts')
  await start(args)
}
