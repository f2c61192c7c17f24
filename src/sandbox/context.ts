import type { Registry } from './registry.ts'
import type { Store } from './store.ts'
import type { UnknownFields } from './validate.ts'

/** What every part of the API server works on. */
export interface Context {
  readonly store: Store
  readonly registry: Registry
  readonly now: () => Date
}

/** What a write is asked to do beside the object itself. */
export interface WriteOptions {
  /** Whose the written fields become. */
  readonly manager: string
  readonly dryRun: boolean
  readonly unknown: UnknownFields
}
