import * as v from 'valibot'

/** The API server leaves out, or sends null for, what is empty. */
const text = v.nullish(v.string(), '')
const number = v.nullish(v.number(), 0)
const record = v.nullish(v.record(v.string(), v.string()), {})
function list<S extends v.GenericSchema>(item: S) {
  return v.nullish(v.array(item), [])
}

const metadata = v.object({
  name: v.string(),
  uid: text,
  resourceVersion: text,
  generation: number,
  creationTimestamp: text,
  deletionTimestamp: v.nullish(v.string()),
  labels: record,
  annotations: record,
})

const waiting = v.object({ reason: text, message: text })
const terminated = v.object({ reason: text, message: text, exitCode: number, signal: number })
const containerState = v.object({
  waiting: v.nullish(waiting),
  running: v.nullish(v.object({})),
  terminated: v.nullish(terminated),
})
const emptyState = { waiting: undefined, running: undefined, terminated: undefined }

const containerStatus = v.object({
  name: v.string(),
  image: text,
  ready: v.nullish(v.boolean(), false),
  restartCount: number,
  state: v.nullish(containerState, emptyState),
  lastState: v.nullish(containerState, emptyState),
})

const condition = v.object({ type: v.string(), status: text, reason: text, message: text })

const requirement = v.object({ key: text, values: list(v.string()) })
const nodeTerm = v.object({ matchFields: list(requirement) })
const affinity = v.object({
  nodeAffinity: v.nullish(
    v.object({
      requiredDuringSchedulingIgnoredDuringExecution: v.nullish(
        v.object({ nodeSelectorTerms: list(nodeTerm) }),
      ),
    }),
  ),
})

/** A pod of the agent, as far as it tells how the agent does. */
export const podSchema = v.object({
  metadata,
  spec: v.object({
    nodeName: text,
    affinity: v.nullish(affinity),
    containers: list(v.object({ name: v.string(), image: text })),
  }),
  status: v.nullish(
    v.object({
      phase: text,
      reason: text,
      message: text,
      conditions: list(condition),
      containerStatuses: list(containerStatus),
    }),
    { phase: '', reason: '', message: '', conditions: [], containerStatuses: [] },
  ),
})
export type AgentPodState = v.InferOutput<typeof podSchema>
export type ContainerStatus = v.InferOutput<typeof containerStatus>

const emptyRollout = {
  observedGeneration: 0,
  desiredNumberScheduled: 0,
  updatedNumberScheduled: 0,
  numberReady: 0,
}
export const daemonSetSchema = v.object({
  metadata,
  status: v.nullish(
    v.object({
      observedGeneration: number,
      desiredNumberScheduled: number,
      updatedNumberScheduled: number,
      numberReady: number,
    }),
    emptyRollout,
  ),
})
export type AgentDaemonSet = v.InferOutput<typeof daemonSetSchema>

/** A core/v1 event. */
export const eventSchema = v.object({
  metadata,
  involvedObject: v.object({ kind: text, name: text, uid: text }),
  reason: text,
  message: text,
  /** How often it happened. */
  count: v.nullish(v.number(), 1),
})
export type AgentEvent = v.InferOutput<typeof eventSchema>
