import { isObject } from '../object.ts'
import type { Schema } from '../schema.ts'

/** Numbers and booleans that are no pointers in Go's types: their zero says the same as nothing, and nothing is written. */
const plainNumbers = new Set(
  `active availableReplicas count currentReplicas failed fullyLabeledReplicas healthCheckNodePort hostIPC hostNetwork hostPID hostPort
  initialDelaySeconds minReadySeconds nodePort numberAvailable numberUnavailable paused publishNotReadyAddresses readOnly readyReplicas
  signal stdin stdinOnce succeeded tty unavailableReplicas unschedulable updatedNumberScheduled updatedReplicas`.split(
    /\s+/,
  ),
)

/** Strings that are pointers: empty is a value. */
const pointers = new Set(
  `apiGroup appProtocol ingressClassName loadBalancerClass runtimeClassName storageClassName volumeAttributesClassName`.split(
    ' ',
  ),
)

interface Field {
  readonly name: string
  readonly type: Schema
  /** The Go type that has the field. */
  readonly struct: string
}

/** Whether an optional field is as if it were not set: an empty list or map, a zero. */
export function isUnset(value: unknown, { name, type, struct }: Field): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isObject(value)) return type.additionalProperties !== undefined && Object.keys(value).length === 0
  if (value === '') return !pointers.has(name)
  const isPlain =
    plainNumbers.has(name) || struct === 'Probe' || (name === 'replicas' && struct.endsWith('Status'))
  return isPlain && (value === 0 || value === false)
}
