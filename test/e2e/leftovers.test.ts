import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { isRunning, servers } from './support/memory.ts'
import { testWith } from './support/place.ts'
import { until } from './support/until.ts'

describe('a laptop that is killed', () => {
  const lab = useLab('leftovers')
  const laptop = useLaptop()
  const pod = 'plain'

  beforeAll(async () => {
    laptop.hasRunInit()
    await lab.deploy(pod)
  })

  async function kill(...flags: string[]): Promise<void> {
    const remote = `/killed-${flags.length}-${lab.namespace}`
    const folder = laptop.folder('killed')
    const running = laptop.start('run', '-n', lab.namespace, '--pod', pod, ...flags, folder, remote)
    await until('it is in sync', () => running.stderr, { holds: (said) => said.includes('in sync') })
    const { mirror = 0, agent = 0 } = servers(remote) ?? {}
    expect([mirror, agent].map(isRunning)).toEqual([true, true])
    await running.kill('SIGKILL')
    await until('both are gone', () => [mirror, agent].filter(isRunning), {
      holds: (left) => left.length === 0,
    })
    expect(await lab.sh(pod, `ls -A ${remote.slice(1)}`)).toBe('')
    rmSync(join(laptop.home, '.kubesync', 'state'), { recursive: true, force: true })
  }

  testWith('processes')('leaves no process on the node, and nothing in the container', () => kill())

  testWith('processes', 'ephemeral')(
    'leaves no process in an ephemeral container but the one that waits there',
    () => kill('--agent', 'ephemeral', '--agent-image', 'any'),
  )
})
