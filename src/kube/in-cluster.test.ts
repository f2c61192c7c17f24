import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inClusterConfig } from './in-cluster.ts'
import { clusterEntry, contextEntry, userEntry } from './kubeconfig.ts'
import { temporaryDirectory } from './testing/files.ts'

const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }

async function serviceAccount(): Promise<string> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'token'), 'secret\n')
  await writeFile(join(directory, 'namespace'), 'mine\n')
  return directory
}

describe('in a pod', () => {
  test("the pod's service account is a context", async () => {
    const directory = await serviceAccount()
    const config = await inClusterConfig(env, directory)
    if (config === undefined) throw new Error('no configuration')
    const name = config.currentContext ?? ''
    expect(contextEntry(config, name)?.namespace).toBe('mine')
    expect(clusterEntry(config, name)).toMatchObject({
      server: 'https://10.0.0.1:443',
      'certificate-authority': join(directory, 'ca.crt'),
    })
    expect(userEntry(config, name)?.tokenFile).toBe(join(directory, 'token'))
  })

  test('an IPv6 address gets brackets', async () => {
    const config = await inClusterConfig(
      { ...env, KUBERNETES_SERVICE_HOST: 'fd00::1' },
      await serviceAccount(),
    )
    expect(config && clusterEntry(config, config.currentContext ?? '')?.server).toBe('https://[fd00::1]:443')
  })
})

describe('outside of a pod', () => {
  test('there is none without the variables', async () => {
    expect(await inClusterConfig({}, await serviceAccount())).toBeUndefined()
  })

  test('there is none without a token', async () => {
    expect(await inClusterConfig(env, await temporaryDirectory())).toBeUndefined()
  })
})
