import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { explainDaemonSet, explainPod } from './explain.ts'
import { type AgentEvent, eventSchema, podSchema } from './observed.ts'

const image = 'docker.io/acme/node:1'

function pod(status: object) {
  return v.parse(podSchema, {
    metadata: { name: 'kubesync-agent-x1', uid: 'pod-1' },
    spec: { nodeName: 'node1', containers: [{ name: 'agent', image }] },
    status: { phase: 'Pending', ...status },
  })
}

function waiting(reason: string, message = '', rest: object = {}) {
  return pod({
    containerStatuses: [
      { name: 'agent', image, restartCount: 0, state: { waiting: { reason, message } }, ...rest },
    ],
  })
}

/** A container that ended and was started again, or soon will be. */
function ended(terminated: object, restartCount: number) {
  return waiting('CrashLoopBackOff', 'back-off 20s restarting failed container=agent', {
    restartCount,
    lastState: { terminated: { exitCode: 1, reason: 'Error', ...terminated } },
  })
}

function events(...list: readonly [reason: string, message: string][]): AgentEvent[] {
  return list.map(([reason, message]) =>
    v.parse(eventSchema, {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', uid: 'pod-1' },
      reason,
      message,
    }),
  )
}

describe('why an agent is not ready', () => {
  const notFound = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`

  test.each([
    {
      what: 'an image that does not exist',
      given: waiting('ErrImagePull', notFound),
      message: `the image ${image} cannot be pulled: not found`,
      final: true,
    },
    {
      what: 'the same while the kubelet backs off, from the event before',
      given: waiting('ImagePullBackOff', `Back-off pulling image "${image}"`),
      said: events(
        ['Failed', `Failed to pull image "${image}": ${notFound}`],
        ['Failed', 'Error: ImagePullBackOff'],
      ),
      message: `the image ${image} cannot be pulled: not found`,
      final: true,
    },
    {
      what: 'an image that needs a login',
      given: waiting(
        'ErrImagePull',
        `failed to pull and unpack image "${image}": failed to resolve reference "${image}": pull access denied, repository does not exist or may require authorization`,
      ),
      message: `the image ${image} cannot be pulled: pull access denied, repository does not exist or may require authorization`,
      final: true,
    },
    {
      what: 'a registry that cannot be reached, which may pass',
      given: waiting(
        'ErrImagePull',
        `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to do request: dial tcp: lookup registry: no such host`,
      ),
      message: `the image ${image} cannot be pulled: failed to do request: dial tcp: lookup registry: no such host`,
      final: false,
    },
    {
      what: 'a back-off of which nothing more is known',
      given: waiting('ImagePullBackOff', `Back-off pulling image "${image}"`),
      message: `the image ${image} cannot be pulled`,
      final: false,
    },
    {
      what: 'an image name that is none',
      given: waiting('InvalidImageName', 'Failed to apply default image tag'),
      message: `${image} is not a valid image name`,
      final: true,
    },
    {
      what: 'an image that may not be pulled',
      given: waiting('ErrImageNeverPull', 'never'),
      message: `the image ${image} is not on the node, and may not be pulled`,
      final: true,
    },
    {
      what: 'an image whose Node is too old',
      given: ended({ exitCode: 70, message: 'kubesync needs Node 20 or newer, this image has 18.20.4\n' }, 0),
      message: `the image ${image} has Node 18.20.4, too old for kubesync`,
      final: true,
    },
    {
      what: 'an image without Node',
      given: waiting(
        'RunContainerError',
        'failed to start container: exec: "node": executable file not found in $PATH: unknown',
      ),
      message: `the image ${image} has no node in its PATH`,
      final: true,
    },
    {
      what: 'the same after the first attempt, where only the last state tells',
      given: ended(
        { exitCode: 128, reason: 'StartError', message: 'exec: "node": executable file not found in $PATH' },
        1,
      ),
      message: `the image ${image} has no node in its PATH`,
      final: true,
    },
    {
      what: 'an image for another CPU',
      given: ended({ message: 'exec /usr/local/bin/node: exec format error' }, 0),
      message: `the image ${image} is not for the CPU of this node`,
      final: true,
    },
    {
      what: 'a container that ended once',
      given: ended({ message: 'starting\nSegmentation fault\n' }, 1),
      message: 'its container ends at once: it exits with code 1: Segmentation fault',
      final: false,
    },
    {
      what: 'a container that ends again and again',
      given: ended({ message: 'Segmentation fault' }, 2),
      message: 'its container ends at once: it exits with code 1: Segmentation fault',
      final: true,
    },
    {
      what: 'a container without memory',
      given: ended({ exitCode: 137, reason: 'OOMKilled' }, 2),
      message: 'its container ends at once: it ran out of memory',
      final: true,
    },
    {
      what: 'a node without room',
      given: pod({
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 1 Insufficient memory.',
          },
        ],
      }),
      message: 'the node has no place for it: 0/3 nodes are available: 1 Insufficient memory',
      final: false,
    },
    {
      what: 'a node whose network is not ready',
      given: waiting('ContainerCreating'),
      said: events(['FailedCreatePodSandBox', 'Failed to create pod sandbox: plugin type="x" failed']),
      message: 'the node cannot set the pod up: Failed to create pod sandbox: plugin type="x" failed',
      final: false,
    },
    {
      what: 'a container that the node refuses to create',
      given: waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
      message: 'the node cannot run the container: container has runAsNonRoot and image will run as root',
      final: true,
    },
    {
      what: 'a probe that fails',
      given: pod({ containerStatuses: [{ name: 'agent', image, restartCount: 0, state: { running: {} } }] }),
      said: events(['Unhealthy', 'Readiness probe failed: command timed out']),
      message: 'its probe fails: Readiness probe failed: command timed out',
      final: false,
    },
    {
      what: 'a node that is down',
      given: pod({
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [{ name: 'agent', image, ready: true, restartCount: 0, state: { running: {} } }],
      }),
      message: 'the node is not heard of; is it down?',
      final: false,
    },
    {
      what: 'a pod that was evicted',
      given: pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' }),
      message: 'the node gave the pod up: Evicted: The node was low on resource: memory',
      final: false,
    },
  ])('$what', ({ given, said = [], message, final }) => {
    expect(explainPod(given, said)).toMatchObject({ message, final })
  })

  test('a registry that cannot be reached again and again is not waited for', () => {
    const [failed] = events(['Failed', `Failed to pull image "${image}": dial tcp: no such host`])
    const given = waiting('ImagePullBackOff')
    const finals = [1, 2, 3].map((count) => failed && explainPod(given, [{ ...failed, count }])?.final)
    expect(finals).toEqual([false, false, true])
  })

  test('nothing is wrong with one that was just scheduled, is being created, or is ready', () => {
    const ready = pod({
      containerStatuses: [{ name: 'agent', image, ready: true, restartCount: 3, state: { running: {} } }],
    })
    for (const given of [pod({}), waiting('ContainerCreating'), ready]) {
      expect(
        explainPod(given, events(['Scheduled', 'Successfully assigned'], ['Pulled', 'Container image'])),
        given.status.phase,
      ).toBeUndefined()
    }
  })
})

describe('why there is no pod at all', () => {
  test.each([
    {
      what: 'Pod Security',
      said: 'Error creating: pods "kubesync-agent-8k2vd" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
      message:
        'the namespace\'s Pod Security level forbids the agent\'s pod (it needs hostPID): violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
      final: true,
    },
    {
      what: 'a quota',
      said: 'Error creating: pods "kubesync-agent-8k2vd" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4',
      message:
        "the namespace's quota forbids the agent's pod: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4",
      final: true,
    },
    {
      what: 'a policy',
      said: 'Error creating: admission webhook "policy.acme.io" denied the request: hostPID is not allowed',
      message:
        'the agent\'s pod cannot be created: admission webhook "policy.acme.io" denied the request: hostPID is not allowed',
      final: true,
    },
    {
      what: 'an account that the controller has not seen yet, which passes',
      said: 'Error creating: pods "kubesync-agent-" is forbidden: error looking up service account tools/kubesync-agent: serviceaccount "kubesync-agent" not found',
      message:
        'the agent\'s pod cannot be created: error looking up service account tools/kubesync-agent: serviceaccount "kubesync-agent" not found',
      final: false,
    },
  ])('$what', ({ said, message, final }) => {
    expect(explainDaemonSet(events(['FailedCreate', said]))).toMatchObject({ message, final })
  })

  test('nothing is wrong when pods were created', () => {
    expect(explainDaemonSet(events(['SuccessfulCreate', 'Created pod: kubesync-agent-x1']))).toBeUndefined()
  })
})
