import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { oldNodeMessage } from './idle.ts'
import { type AgentOptions, agentObjects } from './objects.ts'

const options: AgentOptions = {
  namespace: 'tools',
  image: 'docker.io/library/node:22-alpine',
  nodeSelector: {},
  tolerations: [],
  version: '1.2.3',
}

/** The DaemonSet's pod, as much of it as the tests look at. */
interface PodSpec {
  readonly hostPID: boolean
  readonly hostNetwork?: boolean
  readonly hostIPC?: boolean
  readonly volumes?: unknown
  readonly automountServiceAccountToken: boolean
  readonly nodeSelector: Record<string, string>
  readonly tolerations?: unknown
  readonly securityContext: Record<string, unknown>
  readonly containers: readonly [
    {
      readonly image: string
      readonly command: readonly string[]
      readonly volumeMounts?: unknown
      readonly ports?: unknown
      readonly securityContext: Record<string, unknown>
    },
  ]
}

function podOf(overrides: Partial<AgentOptions> = {}): PodSpec {
  const daemonSet = agentObjects({ ...options, ...overrides }).find(({ kind }) => kind === 'DaemonSet')
  const spec = daemonSet?.spec as { template: { spec: PodSpec } }
  return spec.template.spec
}

describe('the objects of an install', () => {
  test('all carry the label by which clean knows them, and the version', () => {
    for (const { metadata } of agentObjects(options)) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'kubesync',
        'app.kubernetes.io/version': '1.2.3',
      })
    }
  })

  test('come in an order in which they can be created', () => {
    expect(agentObjects(options).map(({ kind }) => kind)).toEqual([
      'Namespace',
      'ServiceAccount',
      'DaemonSet',
    ])
  })

  test('are all in the namespace that was asked for', () => {
    const [namespace, ...inside] = agentObjects(options)
    expect(namespace?.metadata.name).toBe('tools')
    expect(inside.map(({ metadata }) => metadata.namespace)).toEqual(['tools', 'tools'])
  })

  test('let the namespace run a pod that sees the processes of its node', () => {
    expect(agentObjects(options)[0]?.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
    })
  })

  test('give the account no way to the API', () => {
    expect(agentObjects(options).map(({ kind }) => kind)).not.toContain('RoleBinding')
    expect(podOf().automountServiceAccountToken).toBe(false)
  })
})

describe('the agent pod', () => {
  test('sees the processes of its node, and has nothing else of it but room for scratch', () => {
    const pod = podOf()
    expect(pod.hostPID).toBe(true)
    expect([pod.hostNetwork, pod.hostIPC, pod.containers[0].ports]).toEqual([undefined, undefined, undefined])
    expect(pod.volumes).toEqual([{ name: 'scratch', emptyDir: expect.anything() }])
  })

  test('is not privileged, and has exactly the capabilities that its work takes', () => {
    const { securityContext } = podOf().containers[0]
    expect(securityContext).toMatchObject({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    })
    expect(securityContext.capabilities).toEqual({
      drop: ['ALL'],
      add: ['SYS_PTRACE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'KILL'],
    })
  })

  test('runs on Linux nodes with the labels asked for', () => {
    expect(podOf({ nodeSelector: { disk: 'ssd' } }).nodeSelector).toEqual({
      'kubernetes.io/os': 'linux',
      disk: 'ssd',
    })
  })

  test('tolerates what was asked for', () => {
    expect(podOf().tolerations).toBeUndefined()
    expect(podOf({ tolerations: [{ operator: 'Exists' }] }).tolerations).toEqual([{ operator: 'Exists' }])
  })
})

describe('what the container runs', () => {
  const [command = '', ...args] = podOf().containers[0].command

  test('says that Node is too old, and exits', () => {
    const fake = "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });"
    const [flag = '', program = ''] = args
    const { status, stderr } = spawnSync(process.execPath, [flag, fake + program], { encoding: 'utf8' })
    expect({ command, status, stderr }).toEqual({
      command: 'node',
      status: 70,
      stderr: `${oldNodeMessage} 18.20.4\n`,
    })
  })
})

describe('a strict agent', () => {
  const code = Buffer.from('console.log(process.argv.slice(1).join())')
  const objects = agentObjects({ ...options, strictCode: code })
  const of = (kind: string) => objects.find((object) => object.kind === kind)

  test('may look at pods, and do nothing else at the API server', () => {
    expect(of('ClusterRole')?.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }])
    expect(of('ClusterRoleBinding')).toMatchObject({
      roleRef: { name: of('ClusterRole')?.metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'tools', name: 'kubesync-agent' }],
    })
  })

  test('has a Role for its callers that lets nobody run anything', () => {
    expect(of('Role')?.rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create', 'get'] },
    ])
  })

  test('runs the code that was installed with it, and is replaced when that changes', () => {
    const { command } = podOf({ strictCode: code }).containers[0]
    const { binaryData } = of('ConfigMap') as unknown as { binaryData: Record<string, string> }
    const [file, data = ''] = Object.entries(binaryData)[0] ?? []
    const directory = mkdtempSync(join(tmpdir(), 'kubesync-strict-'))
    try {
      mkdirSync(join(directory, 'kubesync'))
      writeFileSync(join(directory, 'kubesync', file ?? ''), Buffer.from(data, 'base64'))
      const { stdout, stderr } = spawnSync(process.execPath, command.slice(1), {
        cwd: directory,
        encoding: 'utf8',
      })
      expect({ stdout, stderr }).toEqual({ stdout: 'gate\n', stderr: '' })
    } finally {
      rmSync(directory, { recursive: true })
    }
    const annotations = (strictCode: Buffer) =>
      JSON.stringify(agentObjects({ ...options, strictCode }).at(-1))
    expect(annotations(Buffer.from('other'))).not.toBe(annotations(code))
  })
})
