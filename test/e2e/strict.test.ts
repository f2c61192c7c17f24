import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentImage } from './support/agent.ts'
import { cluster, useLab } from './support/cluster.ts'
import { exec } from './support/exec.ts'
import { Laptop, useLaptop } from './support/ksync.ts'
import { isRunning, servers } from './support/memory.ts'
import { has, testWith } from './support/place.ts'
import { serveApiToPods } from './support/service.ts'
import { until } from './support/until.ts'

const pod = 'plain'

describe('strict agents', () => {
  const mine = useLab('strict-mine')
  const theirs = useLab('strict-theirs')
  const agents = `${mine.namespace}-agents`
  const admin = useLaptop()
  let developer: Laptop
  let stop = async () => {}

  beforeAll(async () => {
    stop = await serveApiToPods()
    await Promise.all([mine.deploy(pod), theirs.deploy(pod)])
    await admin.did('init', '--strict', '--image', agentImage, '-n', agents)
    developer = new Laptop(has('rights') ? await developersKubeconfig() : undefined)
    const config = `version: 1\nagents:\n  ${cluster.config.getCurrentContext()}: ${agents}\nspecs: []\n`
    writeFileSync(join(developer.folder('.kubesync'), 'config'), config, { mode: 0o600 })
  })

  afterAll(async () => {
    await developer?.remove()
    await cluster.core.deleteNamespace({ name: agents })
    await admin.did('clean', '-n', agents)
    await stop()
  })

  /** Of a service account that may patch pods of one namespace, look at those of the other, and knock at the agents. */
  async function developersKubeconfig(): Promise<string> {
    const user = { kind: 'ServiceAccount', namespace: mine.namespace, name: 'dev' }
    await cluster.core.createNamespacedServiceAccount({
      namespace: mine.namespace,
      body: { metadata: { name: 'dev' } },
    })
    const look = ['get', 'list', 'watch']
    await grant(mine.namespace, user, [...look, 'patch'])
    await grant(theirs.namespace, user, look)
    await bind(agents, user, 'kubesync-agent-caller')
    const { status } = await cluster.core.createNamespacedServiceAccountToken({
      ...{ namespace: mine.namespace, name: 'dev' },
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    })
    const config = JSON.parse(cluster.config.exportConfig())
    for (const one of config.users) one.user = { token: status?.token }
    const path = join(admin.home, 'developer')
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  const once = (where: string, folder: string) =>
    developer.ksync('run', '--once', '-n', where, '--pod', pod, developer.folder(folder), '/strict')

  test('who may patch a pod is served there, and nothing of the proof stays', async () => {
    writeFileSync(join(developer.folder('mine'), 'file'), 'x')
    const { code, stderr } = await once(mine.namespace, 'mine')
    expect(stderr).toContain('in sync')
    expect(code).toBe(0)
    expect(await mine.sh(pod, 'cat strict/file')).toBe('x')
    const { metadata } = await cluster.core.readNamespacedPod({ name: pod, namespace: mine.namespace })
    expect(Object.keys(metadata?.annotations ?? {}).filter((key) => key.startsWith('kubesync/'))).toEqual([])
  })

  testWith('rights')('who may not is not, reads why, and has changed nothing there', async () => {
    writeFileSync(join(developer.folder('theirs'), 'evil'), 'x')
    const { code, stderr } = await once(theirs.namespace, 'theirs')
    expect(code).toBe(2)
    expect(stderr).toContain(`${mine.namespace}:dev`)
    expect(stderr).toContain('strict')
    await expect(theirs.sh(pod, 'cat strict/evil')).rejects.toThrow(/No such file/)
  })

  testWith('rights')('callers cannot run anything in the agent’s pod', async () => {
    const config = new KubeConfig()
    config.loadFromFile(join(admin.home, 'developer'))
    const { items } = await cluster.core.listNamespacedPod({ namespace: agents })
    const command = { namespace: agents, pod: items[0]?.metadata?.name ?? '', command: ['node', '-e', ''] }
    await expect(exec(config, command)).rejects.toThrow(/403/)
  })

  testWith('processes')('a laptop that is killed leaves no process but the agent itself', async () => {
    const remote = `/killed-${mine.namespace}`
    const running = developer.start(
      'run',
      '-n',
      mine.namespace,
      '--pod',
      pod,
      developer.folder('killed'),
      remote,
    )
    await until('it is in sync', () => running.stderr, { holds: (said) => said.includes('in sync') })
    const { mirror = 0, agent = 0 } = servers(remote) ?? {}
    expect(isRunning(mirror)).toBe(true)
    await running.kill('SIGKILL')
    await until('its mirror is gone', () => isRunning(mirror), { holds: (is) => !is })
    expect(isRunning(agent)).toBe(true)
  })
})

async function grant(namespace: string, user: object, verbs: string[]): Promise<void> {
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs }]
  await cluster.objects.create({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
    ...{ metadata: { name: 'dev', namespace }, rules },
  })
  await bind(namespace, user, 'dev')
}

async function bind(namespace: string, user: object, role: string): Promise<void> {
  await cluster.objects.create({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
    ...{ metadata: { name: 'dev', namespace }, subjects: [user] },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
  })
}
