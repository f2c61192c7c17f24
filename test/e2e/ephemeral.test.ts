import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { testWith } from './support/place.ts'
import { until } from './support/until.ts'

describe('without an agent on the node', () => {
  const lab = useLab('ephemeral')
  // No `init` was run from here: in its own words, the agents are in a namespace where there are none.
  const laptop = useLaptop()
  const pod = 'plain'
  const flags = () => ['-n', lab.namespace, '--pod', pod]
  const inPod = ['--agent', 'ephemeral', '--agent-image', 'any']

  beforeAll(() => lab.deploy(pod))

  async function added(): Promise<(string | undefined)[]> {
    const { spec } = await cluster.core.readNamespacedPod({ name: pod, namespace: lab.namespace })
    return (spec?.ephemeralContainers ?? []).map(({ targetContainerName }) => targetContainerName)
  }

  testWith('ephemeral')('`run` offers an ephemeral container, and adds none unasked', async () => {
    const { code, stderr } = await laptop.ksync('run', '--once', ...flags(), laptop.folder('asks'), '/asks')
    expect(code).toBe(2)
    expect(stderr).toContain('there is no agent in namespace kubesync')
    expect(stderr).toContain('--agent ephemeral')
    expect(await added()).toEqual([])
  })

  testWith('ephemeral')(
    '--agent ephemeral syncs both ways, through one container however often',
    async () => {
      const folder = laptop.folder('both')
      writeFileSync(join(folder, 'ours'), 'from here')
      await lab.sh(pod, 'mkdir both && echo from there > both/theirs')
      for (const _ of ['first', 'again']) {
        const { code, stderr } = await laptop.ksync('run', '--once', ...flags(), ...inPod, folder, '/both')
        expect(stderr).toContain('in sync')
        expect(code).toBe(0)
      }
      expect(await lab.sh(pod, 'cat both/ours')).toBe('from here')
      expect(readFileSync(join(folder, 'theirs'), 'utf8')).toBe('from there\n')
      expect(await added()).toHaveLength(1)
      expect(await laptop.did('files', ...flags(), ...inPod, '/both')).toMatch(/theirs/)
    },
  )

  testWith('ephemeral')('a spec keeps to it, also when its container restarts', async () => {
    const folder = laptop.folder('kept')
    writeFileSync(join(folder, 'file'), 'kept')
    await laptop.did('create', '--name', 'kept', ...flags(), ...inPod, folder, '/kept')
    await laptop.watch()
    await laptop.inSync('kept', 1)
    await lab.sh(pod, 'kill -9 $(cat first.pid)')
    await until('the new container has it', () => lab.sh(pod, 'cat kept/file').catch(String), {
      holds: (said) => said === 'kept',
      limit: 60_000,
    })
    await laptop.did('watch', '--stop')
    expect(new Set(await added())).toEqual(new Set([pod]))
  })
})
