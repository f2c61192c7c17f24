/** A process that ends by SIGKILL after so many steps of a sync; `kill.test.ts` bundles and starts it. */
import { syncUntilDeath } from './dying.ts'

const [local = '', remote = '', basePath = '', trash = '', steps = ''] = process.argv.slice(2)
const die = () => process.kill(process.pid, 'SIGKILL')
await syncUntilDeath({ local, remote, basePath, trash, steps: Number(steps), die })
process.exit(0)
