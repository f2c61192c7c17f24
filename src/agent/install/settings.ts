import * as v from 'valibot'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import { type AgentOptions, agentContainer, agentName, isOurs, type Toleration } from './objects.ts'
import { strictAnnotation } from './strict.ts'

/** What whoever installs the agent may choose. */
export interface AgentSettings extends Pick<AgentOptions, 'image' | 'nodeSelector' | 'tolerations'> {
  readonly strict: boolean
}

const tolerationSchema = v.object({
  key: v.exactOptional(v.string()),
  operator: v.nullish(v.picklist(['Exists', 'Equal']), 'Equal'),
  value: v.exactOptional(v.string()),
  effect: v.exactOptional(v.string()),
})

const podSpecSchema = v.object({
  nodeSelector: v.nullish(v.record(v.string(), v.string()), {}),
  tolerations: v.nullish(v.array(tolerationSchema), []),
  containers: v.array(v.object({ name: v.string(), image: v.string() })),
})
const metadataSchema = v.nullish(v.object({ annotations: v.nullish(v.record(v.string(), v.string()), {}) }), {
  annotations: {},
})
const templateSchema = v.object({ metadata: metadataSchema, spec: podSpecSchema })
const daemonSetSchema = v.object({ spec: v.object({ template: templateSchema }) })

/** What was chosen when the agent was installed in a namespace; undefined if `init` did not install one there. */
export async function readSettings(
  client: KubeClient,
  namespace: string,
): Promise<AgentSettings | undefined> {
  try {
    const found = await client.get({
      apiVersion: 'apps/v1',
      plural: 'daemonsets',
      namespace,
      name: agentName,
    })
    return isOurs(found) ? settingsOf(found) : undefined
  } catch (error) {
    if (error instanceof ApiError && ['NOT_FOUND', 'FORBIDDEN'].includes(error.code)) return undefined
    throw error
  }
}

/** The settings in a DaemonSet; undefined if somebody made something else of it. Pure. */
export function settingsOf(daemonSet: unknown): AgentSettings | undefined {
  const result = v.safeParse(daemonSetSchema, daemonSet)
  if (!result.success) return undefined
  const { metadata, spec } = result.output.spec.template
  const { containers, nodeSelector, tolerations } = spec
  const strict = metadata.annotations[strictAnnotation] === 'true'
  const image = containers.find(({ name }) => name === agentContainer)?.image
  if (image === undefined) return undefined
  const { 'kubernetes.io/os': _always, ...chosen } = nodeSelector
  return { image, nodeSelector: chosen, tolerations: tolerations satisfies readonly Toleration[], strict }
}
