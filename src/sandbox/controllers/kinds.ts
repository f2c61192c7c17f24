import type { KubeObject, Metadata } from '../object.ts'

type Texts = Readonly<Record<string, string>>
type Texted<Fields extends string> = Readonly<Partial<Record<Fields, string>>>

/** Kubernetes' own types, as far as the controllers read them: with the defaults that the API sets. */
export interface Condition extends Texted<'reason' | 'message' | 'lastTransitionTime' | 'lastUpdateTime'> {
  readonly type: string
  readonly status: string
}

interface Conditioned {
  readonly conditions?: readonly Condition[]
}

export type Toleration = Texted<'key' | 'operator' | 'value' | 'effect'>

export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly Requirement[]
  readonly matchFields?: readonly Requirement[]
}

export interface PodSpec {
  readonly nodeName?: string
  readonly nodeSelector?: Texts
  readonly tolerations?: readonly Toleration[]
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly NodeSelectorTerm[]
      }
    }
  }
  readonly schedulerName?: string
  readonly schedulingGates?: readonly unknown[]
  readonly [field: string]: unknown
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec
  readonly status?: Conditioned & { readonly phase?: string }
}

export interface PodTemplate {
  readonly metadata?: Pick<Metadata, 'labels' | 'annotations'>
  readonly spec: PodSpec
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

export interface Node extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] }
  readonly status?: Conditioned
}

type Count =
  | 'observedGeneration'
  | 'replicas'
  | 'updatedReplicas'
  | 'readyReplicas'
  | 'availableReplicas'
  | 'terminatingReplicas'

export interface ReplicaSet extends KubeObject {
  readonly spec: {
    readonly replicas: number
    readonly selector: { readonly matchLabels?: Texts }
    readonly template: PodTemplate
  }
  readonly status?: Conditioned & Readonly<Partial<Record<Count, number>>>
}

/** How many may be there or missing for a while: a number of pods, or a share of them such as `25%`. */
export interface RollingUpdate {
  readonly maxSurge?: number | string
  readonly maxUnavailable?: number | string
}

export interface Deployment extends ReplicaSet {
  readonly spec: ReplicaSet['spec'] & {
    readonly paused?: boolean
    readonly revisionHistoryLimit?: number
    readonly strategy: { readonly type: string; readonly rollingUpdate?: RollingUpdate }
  }
}

export interface DaemonSet extends KubeObject {
  readonly spec: {
    readonly template: PodTemplate
    readonly updateStrategy: { readonly type: string; readonly rollingUpdate?: RollingUpdate }
  }
}
