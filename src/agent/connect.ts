import { readFile } from 'node:fs/promises'
import { assetPath } from '../asset.ts'
import { KubesyncError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { exec } from '../kube/exec.ts'
import { portForward } from '../kube/port-forward.ts'
import { version } from '../version.ts'
import type { View } from './container.ts'
import { converse, type NodeConnection } from './converse.ts'
import { digestOf, framed, loader } from './loader.ts'
import { gatePort } from './strict/places.ts'
import { prove } from './strict/prove.ts'

export type { NodeConnection } from './converse.ts'

/** An agent's pod, and the container in it that has Node. */
export interface AgentPod {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** It runs code of its own, and serves a container to those only who prove a right on its pod. */
  readonly strict?: boolean
}

/** What an agent is started as. */
export interface AgentStart {
  /** Arguments of the agent's code; that of a node unless said. */
  readonly role?: readonly [View, ...string[]]
  /** A container that the agent is to look for: its hello tells of it. */
  readonly containerId?: string
}

/** Starts the agent in its pod and greets it. Rejects with a KubesyncError that says what is wrong there. */
export async function connectNode(
  client: KubeClient,
  agent: AgentPod,
  { role = ['node'], containerId }: AgentStart = {},
): Promise<NodeConnection> {
  if (agent.strict === true) return connectGate(client, agent)
  const code = await readFile(assetPath('agent.cjs'))
  const stream = await exec(client, { ...agent, command: ['node', '-e', loader, ...role] })
  stream.write(framed(code))
  return converse(stream, { agent, containerId, hint: notStarted })
}

const notStarted = 'run `ksync init` again to repair the agent; its image needs Node 20 or newer'

/** Connects to a strict agent, which runs code of its own, and proves a right on each pod before it asks for anything there. */
async function connectGate(client: KubeClient, agent: AgentPod): Promise<NodeConnection> {
  const stream = await portForward(client, { ...agent, port: gatePort })
  const connection = await converse(stream, {
    agent,
    hint: 'run `ksync init` again to see what is wrong with it',
    prepare: (mux, { pod, containerId }) => prove(client, mux, { pod, containerId }),
  })
  const { digest, version: theirs } = connection.hello
  if (digest === digestOf(await readFile(assetPath('agent.cjs')))) return connection
  await connection.close()
  const what = `the strict agents in namespace ${agent.namespace} run other code (kubesync ${theirs}) than this kubesync's (${version})`
  throw new KubesyncError('AGENT_VERSION', what, {
    hint: 'use the same version as whoever ran `ksync init --strict`, or have it run again with this one',
  })
}
