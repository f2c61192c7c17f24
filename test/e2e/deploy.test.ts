import { describe, expect, test } from 'vitest'
import { agentImage } from './support/agent.ts'
import { cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, live, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'
import { until } from './support/until.ts'

const lab = useLab('deploy')
const laptop = useLaptop()
const { namespace } = lab

/** A Deployment as somebody writes it, whose pods live until they are ended. */
const web = (name: string, more = '') => `# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}   # as the Service calls it
spec:
    replicas: 1
    selector: {matchLabels: {app: "${name}"}}
    template:
        metadata: {labels: {app: "${name}"}}
        spec:
            terminationGracePeriodSeconds: 0
            containers:
                # the only one
                - name: web
                  image: ${agentImage}   # pinned
                  command: [node, -e, "setInterval(() => {}, 1e6)"]${more}
`

function checkout(name: string): Checkout {
  return new Checkout(laptop, { name, namespace })
}

const containerOf = async (name: string) => {
  const deployment = (await live('Deployment', name, namespace)) as
    | { spec?: { replicas?: number; template?: { spec?: { containers?: Record<string, unknown>[] } } } }
    | undefined
  return { replicas: deployment?.spec?.replicas, ...deployment?.spec?.template?.spec?.containers?.[0] }
}

describe('a deployment', () => {
  test('changes file and cluster as one step, touches no other byte, and follows the rollout', async () => {
    const here = checkout('one-step')
    here.write('web.yaml', web('web'))
    await here.did('push', '-f')
    expect(await here.ksync('deploy', 'web', '--set-env', 'LOG=debug')).toMatchObject({ code: 1 })
    expect(here.read('web.yaml')).toBe(web('web'))

    const said = await here.did('deploy', 'web', '--set-env', 'LOG=debug', '--scale', '2', '-f')
    expect(said).toContain(`Deployment.apps ${namespace}/web rolled out`)
    const env = `
                  env:
                      - name: LOG
                        value: debug`
    expect(here.read('web.yaml')).toBe(web('web', env).replace('replicas: 1', 'replicas: 2'))
    expect(await containerOf('web')).toMatchObject({ replicas: 2, env: [{ name: 'LOG', value: 'debug' }] })
    expect(await here.did('diff')).toContain('1 the same')
  })

  test('that fails says why, and goes back: every byte and the cluster', async () => {
    const here = checkout('failing')
    here.write('bad.yaml', web('bad'))
    await here.did('push', '-f')
    const program = JSON.stringify('console.error("no database"); process.exit(3)')
    const crash = `spec.template.spec.containers[name=web].command=[node, -e, ${program}]`
    const { code, stderr } = await here.ksync('deploy', 'bad', '--set', crash, '-f', '--rollback-on-failure')
    expect(code).toBe(1)
    expect(stderr).toMatch(/CrashLoopBackOff: it ended with exit code 3/)
    expect(stderr).toContain('  no database')
    expect(here.read('bad.yaml')).toBe(web('bad'))
    expect(await containerOf('bad')).toMatchObject({ command: ['node', '-e', 'setInterval(() => {}, 1e6)'] })
    expect(await here.did('diff')).toContain('1 the same')
  })

  testWith('images')('of an image that is not there says so', async () => {
    const here = checkout('image')
    here.write('image.yaml', web('image'))
    await here.did('push', '-f')
    const { code, stderr } = await here.ksync(
      'set',
      'image',
      'deployment/image',
      'web=kubesync.invalid/no:1',
      '-f',
    )
    expect([code, stderr]).toEqual([1, expect.stringMatching(/(ImagePullBackOff|ErrImagePull)/)])
    expect(here.read('image.yaml')).toContain('image: kubesync.invalid/no:1   # pinned')
  })

  test('is made nowhere if the cluster refuses it', async () => {
    const here = checkout('refused')
    here.write('sure.yaml', web('sure'))
    await here.did('push', '-f', '--no-wait')
    const { code, stdout } = await here.ksync('deploy', 'sure', '--set', 'spec.replicas=many', '-f')
    expect([code, stdout]).toEqual([1, expect.stringContaining('the server refuses it')])
    expect(here.read('sure.yaml')).toBe(web('sure'))
  })

  testWith('terminal')('is asked about, and goes back on request', async () => {
    const here = checkout('asked')
    here.write('asked.yaml', web('asked'))
    await here.did('push', '-f')
    const screen = here.atTerminal(
      'deploy',
      'asked',
      '--set',
      'spec.template.spec.containers[0].command=["node", "-e", "process.exit(1)"]',
    )
    await screen.asks(/\[a\]ll/)
    screen.answer('a')
    await screen.asks(/Go back to what was before/)
    screen.answer('y')
    await screen.terminal.exited
    expect(here.read('asked.yaml')).toBe(web('asked'))
  })
})

test('a custom object is changed by path, by its keys where it has some and by places where not', async () => {
  const here = checkout('custom')
  const group = `${namespace}.example.com`
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      ...{ group, scope: 'Namespaced', names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget' } },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }
  here.write('definition.json', JSON.stringify(definition))
  const gadget = `apiVersion: ${group}/v1
kind: Gadget
metadata: {name: one}
spec:
  size: 1 # small
  parts:
    - id: a   # first
      size: 1
    - id: b
`
  here.write('gadget.yaml', gadget)
  try {
    await here.did('push', '-f')
    await here.did('deploy', 'gadget.yaml', '--set', 'spec.parts[id=b].size=3', '--set', 'spec.size=2', '-f')
    expect(here.read('gadget.yaml')).toBe(
      `${gadget.replace('size: 1 # small', 'size: 2 # small')}      size: 3\n`,
    )
    expect(await here.did('diff')).toContain('2 the same')
  } finally {
    await cluster.objects.delete(definition)
  }
})

test('a change whose process is killed is found by the next command, and finished or undone', async () => {
  const text = (a: number) => `apiVersion: v1
kind: ConfigMap
metadata: {name: cut}
data:
  a: "${a}" # kept
`
  const here = checkout('killed')
  here.write('cut.yaml', text(0))
  await here.did('push', '-f')
  const thereNow = async () =>
    ((await live('ConfigMap', 'cut', namespace)) as { data?: { a?: string } } | undefined)?.data?.a
  let now = 0
  /** Kills deployments as soon as they wrote the file, until one had not ended by then; the cluster has what it had before. */
  const killed = async () => {
    for (;;) {
      now += 1
      const running = here.start('deploy', 'cut', '--set', `data.a=${now}`, '-f')
      await until('the file is written', () => here.read('cut.yaml'), {
        holds: (read) => read === text(now),
        every: 1,
      })
      running.child.kill('SIGKILL')
      await running.exited
      await patch({
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cut', namespace } },
        ...{ data: { a: `${now - 1}` } },
      })
      if ((await here.ksync('diff')).stderr.includes('was interrupted')) return
      await here.did('push', '-f', '--conflicts', 'take')
    }
  }
  for (const ending of ['finish', 'undo'] as const) {
    await killed()
    const { code, stderr } = await here.ksync('push', '-f')
    expect([code, stderr]).toEqual([1, expect.stringContaining(`--interrupted ${ending}`)])
    await here.did('push', '-f', '--interrupted', ending)
    if (ending === 'undo') now -= 1
    expect([here.read('cut.yaml'), await thereNow()]).toEqual([text(now), `${now}`])
    expect(await here.did('diff')).toContain('1 the same')
  }
})

test('what may be in a file that cannot be read is not changed in the cluster alone', async () => {
  const here = checkout('unread')
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unread}\ndata: {a: "1"}\n`
  here.write('it.yaml', text)
  await here.did('push', '-f')
  const version = async () => (await live('ConfigMap', 'unread', namespace))?.metadata?.resourceVersion
  const before = await version()
  here.write('it.yaml', `${text}x: [\n`)
  for (const what of ['cm/unread', 'unread', 'it.yaml']) {
    const { code, stderr } = await here.ksync('deploy', what, '--set', 'data.a=2', '-f')
    expect([code, stderr]).toEqual([1, expect.stringContaining('it may be in it.yaml:')])
  }
  here.write('it.yaml', text)
  here.write('twice.yaml', text)
  const { code, stderr } = await here.ksync('deploy', 'cm/unread', '--set', 'data.a=2', '-f')
  expect([code, stderr]).toEqual([1, expect.stringMatching(/unread is also in twice\.yaml/)])
  expect(await version()).toBe(before)
})

test('who scales what something else scales is told so', async () => {
  const here = checkout('scaled')
  here.write('scaled.yaml', web('scaled').replace('replicas: 1', 'replicas: 0'))
  await here.did('push', '-f', '--no-wait')
  const isThere = await createByHand(
    {
      ...{ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'scaled' } },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' }, maxReplicas: 3 },
    } as object,
    namespace,
  )
  // The sandbox scales nothing by itself.
  if (!isThere) return
  const { stdout } = await here.ksync('scale', 'scaled', '0')
  expect(stdout).toContain('HorizontalPodAutoscaler scaled decides on its replicas, 1 to 3')
})
