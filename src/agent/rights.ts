import { KubesyncError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'

/** What somebody has to be allowed, as a rule of a Role. */
export interface Rule {
  /** With its subresource: `pods/exec`. Of the core group. */
  readonly resource: string
  readonly verbs: readonly string[]
}

/** To follow the pods that are synced. */
const toFollow: Rule = { resource: 'pods', verbs: ['get', 'list', 'watch'] }
/** To start an agent in a container. Over a WebSocket that is a GET, which newer servers ask both verbs for. */
const toExec: Rule = { resource: 'pods/exec', verbs: ['create', 'get'] }
const toAttach: Rule = { resource: 'pods/ephemeralcontainers', verbs: ['patch'] }

/** What whoever is served by strict agents takes in their namespace, besides `patch` on the pods in that of the pods. */
export const toFindAgents: Rule = { resource: 'pods', verbs: ['list', 'watch'] }
export const toKnock: Rule = { resource: 'pods/portforward', verbs: ['create', 'get'] }

/** What `--agent ephemeral` takes in the namespace of the pods. */
export const ephemeralRules: readonly Rule[] = [toFollow, toExec, toAttach]

export interface Missing {
  readonly who: string
  readonly rules: readonly Rule[]
}

/** Which of the rules this user lacks in a namespace; undefined if none. What the server does not answer counts as allowed. */
export async function findMissing(
  client: KubeClient,
  namespace: string,
  rules: readonly Rule[],
): Promise<Missing | undefined> {
  const found = await Promise.all(
    rules.map(async ({ resource, verbs }) => {
      const allowed = await Promise.all(verbs.map((verb) => isAllowed(client, { namespace, resource, verb })))
      return { resource, verbs: verbs.filter((_, index) => !allowed[index]) }
    }),
  )
  const missing = found.filter(({ verbs }) => verbs.length > 0)
  return missing.length === 0 ? undefined : { who: await whoAmI(client), rules: missing }
}

interface Question {
  readonly namespace: string
  readonly resource: string
  readonly verb: string
}

async function isAllowed(client: KubeClient, { namespace, resource, verb }: Question): Promise<boolean> {
  const [plural, subresource] = resource.split('/')
  const resourceAttributes = { namespace, verb, resource: plural, ...(subresource && { subresource }) }
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const answer = await ask(client, path, body)
  return at(at(answer, 'status'), 'allowed') !== false
}

/** The server's name for this user; of a server that does not tell (before 1.28) the kubeconfig's. */
export async function whoAmI(client: KubeClient): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const answer = await ask(client, '/apis/authentication.k8s.io/v1/selfsubjectreviews', body)
  const name = at(at(at(answer, 'status'), 'userInfo'), 'username')
  return typeof name === 'string' ? name : client.context.user
}

async function ask(client: KubeClient, path: string, body: unknown): Promise<unknown> {
  try {
    return await client.request({ method: 'POST', path, body })
  } catch (error) {
    if (error instanceof KubesyncError) return undefined
    throw error
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

export interface Grant {
  readonly name: string
  readonly namespace: string
  readonly rules: readonly Rule[]
  readonly who: string
}

/** A Role with the rules, and the binding that gives it to somebody, as YAML. */
export async function grantYaml({ name, namespace, rules, who }: Grant): Promise<string> {
  const { stringify } = await import('yaml')
  const metadata = { name, namespace }
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const role = {
    ...{ apiVersion, kind: 'Role', metadata },
    rules: rules.map(({ resource, verbs }) => ({
      apiGroups: [''],
      resources: [resource],
      verbs: [...verbs],
    })),
  }
  const binding = {
    ...{ apiVersion, kind: 'RoleBinding', metadata },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [subjectOf(who)],
  }
  return [role, binding].map((object) => stringify(object, { lineWidth: 0 })).join('---\n')
}

function subjectOf(who: string): object {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(who) ?? []
  if (name !== undefined) return { kind: 'ServiceAccount', namespace, name }
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: who }
}
