import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/resource.ts'
import type { ResourceType } from '../../kube/resource-type.ts'
import { isOurs } from './objects.ts'

/** So many types are listed at a time. */
const atOnce = 8

/**
 * Something in a namespace that neither `init` nor Kubernetes itself put there, as `deployments/web`; undefined
 * if there is nothing. All types that the server has are looked at. Rejects when one of them cannot be.
 */
export async function findForeign(client: KubeClient, namespace: string): Promise<string | undefined> {
  const { types, unavailable } = await client.discovery.all()
  if (unavailable.length > 0) {
    throw new KubesyncError('SERVER_UNAVAILABLE', `the API ${unavailable.join(', ')} does not answer`)
  }
  const stored = storedTypes(types)
  for (let index = 0; index < stored.length; index += atOnce) {
    const batch = stored.slice(index, index + atOnce).map((type) => findOfType(client, type, namespace))
    const found = (await Promise.all(batch)).find((name) => name !== undefined)
    if (found !== undefined) return found
  }
  return undefined
}

/** The namespaced types whose objects are stored, in one version each: what is computed, such as metrics, cannot be created. */
function storedTypes(types: readonly ResourceType[]): ResourceType[] {
  const byName = new Map<string, ResourceType>()
  for (const type of types) {
    const name = `${type.apiVersion.split('/').slice(0, -1)}/${type.plural}`
    if (!byName.has(name)) byName.set(name, type)
  }
  return [...byName.values()].filter(
    ({ namespaced, kind, verbs }) =>
      namespaced && kind !== 'Event' && ['list', 'create', 'delete'].every((verb) => verbs.includes(verb)),
  )
}

async function findOfType(
  client: KubeClient,
  { apiVersion, plural }: ResourceType,
  namespace: string,
): Promise<string | undefined> {
  for await (const { items } of client.list({ apiVersion, plural, namespace })) {
    const found = items.find((object) => !isIncidental(plural, object))
    if (found !== undefined) return `${plural}/${found.metadata?.name}`
  }
  return undefined
}

/** What comes with every namespace: from Kubernetes, and from distributions and meshes that are common. */
const incidental: Readonly<Record<string, RegExp>> = {
  configmaps: /^(kube-root-ca\.crt|openshift-service-ca\.crt|istio-ca-root-cert)$/,
  serviceaccounts: /^(default|builder|deployer)$/,
  secrets: /^(default|builder|deployer)-(token|dockercfg)-/,
  rolebindings: /^system:/,
}

/** Ours, a dependent of something that is looked at itself, or there by itself. */
export function isIncidental(plural: string, object: KubeObject): boolean {
  const { name = '', ownerReferences = [], annotations } = object.metadata ?? {}
  if (isOurs(object) || ownerReferences.length > 0) return true
  // The token of our own account, on clusters that still make one for each.
  if (plural === 'secrets' && annotations?.['kubernetes.io/service-account.name'] !== undefined) return true
  return incidental[plural]?.test(name) ?? false
}
