import { KubesyncError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { ApiError } from '../kube/errors.ts'
import { agentSelector } from './install/objects.ts'
import { ephemeralRules, findMissing, grantYaml, type Missing, whoAmI } from './rights.ts'

export interface Way {
  /** Of the pods. */
  readonly namespace: string
  /** Where `init` put the agents, as far as is known. */
  readonly agentNamespace: string
  readonly agent: 'daemonset' | 'ephemeral'
}

export interface Unreachable {
  readonly error: KubesyncError
  /** Ephemeral containers would do. */
  readonly offer: boolean
}

/** The first minor version in which ephemeral containers are for everybody. */
const EPHEMERAL_MINOR = 25

/**
 * Why no container of a namespace can be reached, with what would help; undefined if nothing is known against it. It
 * looks for agents anywhere, and not for the one of a node: that is for whoever syncs, and may change meanwhile.
 */
export async function whyUnreachable(client: KubeClient, way: Way): Promise<Unreachable | undefined> {
  try {
    if (way.agent === 'ephemeral') {
      const obstacle = await findObstacle(client, way.namespace)
      return obstacle === undefined ? undefined : { error: await refusal(way, obstacle), offer: false }
    }
    const absence = await findAbsence(client, way.agentNamespace)
    return absence === undefined ? undefined : await instead(client, way, absence)
  } catch (error) {
    // That the server is away, or answers oddly, is told by the sync, which goes on trying.
    if (error instanceof KubesyncError) return undefined
    throw error
  }
}

/** What is in the way of ephemeral containers: the server, or rights. */
type Obstacle =
  | { readonly kind: 'server'; readonly version: string }
  | ({ readonly kind: 'rights' } & Missing)

async function findObstacle(client: KubeClient, namespace: string): Promise<Obstacle | undefined> {
  const { minor, major, gitVersion } = await client.discovery.version()
  const pods = await client.discovery.kind('v1', 'Pod')
  const isServed = pods.subresources.includes('ephemeralcontainers')
  if (!isServed || (major === 1 && minor < EPHEMERAL_MINOR)) return { kind: 'server', version: gitVersion }
  const missing = await findMissing(client, namespace, ephemeralRules)
  return missing && { kind: 'rights', ...missing }
}

/** That there is no agent, in words; undefined if there is one. */
async function findAbsence(client: KubeClient, namespace: string): Promise<string | undefined> {
  try {
    const query = { labelSelector: agentSelector }
    const { items } = await client.listAll({ apiVersion: 'v1', plural: 'pods', namespace }, query)
    return items.length > 0 ? undefined : `there is no agent in namespace ${namespace}`
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'FORBIDDEN') throw error
    return `${await whoAmI(client)} may not look for agents in namespace ${namespace} (list pods)`
  }
}

async function instead(client: KubeClient, way: Way, absence: string): Promise<Unreachable> {
  const obstacle = await findObstacle(client, way.namespace)
  if (obstacle !== undefined) return { error: await refusal(way, obstacle, absence), offer: false }
  const hint = [
    '`ksync init` installs agents on the nodes. --agent ephemeral does without: it adds a container to each pod, which',
    'ends by itself when it is not used, and is listed in the pod for as long as that lives',
  ].join('\n')
  return { error: new KubesyncError('NO_AGENT', absence, { hint }), offer: true }
}

async function refusal(way: Way, obstacle: Obstacle, absence?: string): Promise<KubesyncError> {
  const { namespace } = way
  const first = absence === undefined ? '' : `${absence}, and `
  if (obstacle.kind === 'server') {
    const message = `${first}this server (${obstacle.version}) has no ephemeral containers; they came with 1.25`
    return new KubesyncError('NO_EPHEMERAL', message, { hint: '`ksync init` installs agents on the nodes' })
  }
  const { who, rules } = obstacle
  const lacking = rules.map(({ resource, verbs }) => `${verbs.join(', ')} ${resource}`).join('; ')
  const message = `${first}${who} lacks rights for --agent ephemeral in namespace ${namespace}: ${lacking}`
  const yaml = await grantYaml({ name: 'ksync-ephemeral', namespace, rules: ephemeralRules, who })
  const init = absence === undefined ? '' : 'have an administrator run `ksync init`, or '
  const hint = `${init}ask for this to be applied (kubectl apply -f -):\n\n${yaml.trimEnd()}`
  return new KubesyncError('FORBIDDEN', message, { hint })
}
