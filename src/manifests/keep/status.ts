import type { ClusterName } from '../plan/plan.ts'

/** Which way changes go. */
export type KeepMode = 'two-way' | 'to-cluster' | 'to-files'
export type KeepSide = 'local' | 'remote'

/** What is done without a person. */
export interface KeepPolicy {
  readonly mode: KeepMode
  /** Of a field that both sides changed, or that never was agreed on: a question, a side that wins, or the end. */
  readonly onConflict: 'ask' | KeepSide | 'stop'
  /** Of an object that one side does not have any more: a question, deleted on the other side, too, or brought back. */
  readonly onDeletion: 'ask' | 'carry' | 'restore'
  /** False for a protected cluster that nobody confirmed: nothing is written to it then. */
  readonly mayWriteCluster: boolean
}

/** Something that waits for a person. Values of Secrets are left out. */
export interface KeepConflict {
  /** Stays the same as long as it is the same question. */
  readonly id: string
  /** `conflict`: about a field. The others: about an object that is gone from the folder, from the cluster, or many that are. */
  readonly kind: 'conflict' | 'deleted-here' | 'deleted-there' | 'many-deleted'
  /** `Deployment.apps shop/web`; empty where it is about many. */
  readonly resource: string
  /** Relative to the folder. */
  readonly file: string
  /** `spec.replicas`; empty for a whole object. */
  readonly field: string
  /** As YAML; undefined where a side does not have it. */
  readonly local: string | undefined
  readonly remote: string | undefined
  /** Why it is asked. */
  readonly why: string
  /** What each answer does. */
  readonly answers: string
}

/** A write that was made. */
export interface KeepWrite {
  /** ISO 8601. */
  readonly at: string
  readonly where: 'file' | 'cluster'
  readonly resource: string
  /** Relative to the folder. */
  readonly file: string
  readonly what: 'created' | 'changed' | 'written' | 'deleted'
}

/** A field that is left to somebody who keeps writing it. */
export interface KeepLeft {
  readonly resource: string
  readonly field: string
  /** Why, and to whom. */
  readonly reason: string
}

/** What goes wrong with an object, a file or a kind, while the others go on. */
export interface KeepProblem {
  readonly about: string
  readonly reason: string
}

/** How folder and cluster stand; plain data. */
export interface KeepStatus {
  /**
   * `starting`: not everything was looked at yet. `in-step`. `waiting`: in step but for what a person has to say. `halted`: nothing is
   * written until a person said what is meant. `away`: cluster or folder cannot be reached. `stopped`: it ended.
   */
  readonly state: 'starting' | 'in-step' | 'waiting' | 'halted' | 'away' | 'stopped'
  /** Of `halted`, `away` and `stopped`, a sentence; else empty. */
  readonly reason: string
  readonly mode: KeepMode
  readonly root: string
  readonly cluster: ClusterName
  /** How many objects are kept. */
  readonly objects: number
  /** Fields and objects that differ and stay so, because the mode says so. */
  readonly drift: number
  /** Writes since it began. */
  readonly writes: { readonly files: number; readonly cluster: number }
  /** The last of them, newest last. */
  readonly lastWrites: readonly KeepWrite[]
  readonly conflicts: readonly KeepConflict[]
  readonly left: readonly KeepLeft[]
  readonly problems: readonly KeepProblem[]
}

export interface KeepOptions extends KeepPolicy {
  /** Where new files go; recognised in the folder where undefined. */
  readonly layout?: string | undefined
  /** Ends it; what is under way is finished first. */
  readonly signal: AbortSignal
  /** Called whenever something of it changed. */
  onStatus(status: KeepStatus): void
}

/** A folder and a cluster that are kept in step. */
export interface Keeping {
  status(): KeepStatus
  /** Answers a question; resolves when the answer was carried out or led to another question. Rejects with NO_SUCH_CONFLICT. */
  resolve(id: string, side: KeepSide): Promise<void>
  /** Resolves when it ended: after the signal, or where `onConflict` is `stop`. Rejects only with defects. */
  readonly done: Promise<void>
}
