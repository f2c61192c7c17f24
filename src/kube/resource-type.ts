import * as v from 'valibot'

/** A type of object that the server serves. */
export interface ResourceType {
  /** `v1`, `apps/v1` */
  readonly apiVersion: string
  readonly kind: string
  /** As it stands in paths: `deployments`. */
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly namespaced: boolean
  /** `get`, `list`, `patch`, … */
  readonly verbs: readonly string[]
  /** `status`, `exec`, `ephemeralcontainers`, … */
  readonly subresources: readonly string[]
}

/** What discovery found. */
export interface ServerTypes {
  /** The core group first, then groups in the server's order; of a group, the preferred version first. */
  readonly types: readonly ResourceType[]
  /** Group versions (`metrics.k8s.io/v1beta1`) whose own API server did not answer. */
  readonly unavailable: readonly string[]
}

export interface ServerVersion {
  readonly major: number
  readonly minor: number
  /** As the server words it: `v1.31.2+k3s1`. */
  readonly gitVersion: string
}

const versionSchema = v.looseObject({
  major: v.optional(v.string(), ''),
  minor: v.optional(v.string(), ''),
  gitVersion: v.optional(v.string(), ''),
})

/** Reads `/version`. Providers write `27+` for a minor version, or leave both to gitVersion. */
export function parseServerVersion(answer: unknown): ServerVersion {
  const { major, minor, gitVersion } = v.parse(versionSchema, answer)
  const [, gitMajor = '0', gitMinor = '0'] = /^v?(\d+)\.(\d+)/.exec(gitVersion) ?? []
  return {
    major: Number.parseInt(major || gitMajor, 10),
    minor: Number.parseInt(minor || gitMinor, 10),
    gitVersion,
  }
}
