import { invalid, notImplemented } from './failure.ts'
import { isObject, type KubeObject } from './object.ts'
import type { ResourceType } from './resource.ts'

/** Who everybody with the sandbox's token is. */
const userInfo = { username: 'sandbox-admin', groups: ['system:masters', 'system:authenticated'] }
const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
}

const reviews: Readonly<Record<string, (review: KubeObject) => object>> = {
  SelfSubjectAccessReview: (review) => ({ ...review, status: accessOf(review) }),
  SelfSubjectRulesReview: (review) => ({ ...review, spec: {}, status: everything }),
  SelfSubjectReview: (review) => ({ ...review, status: { userInfo } }),
}

/** Whether a resource is one of questions, whose answer is not kept. */
export function isReview({ info }: ResourceType): boolean {
  return info.verbs.join() === 'create'
}

/** Answers a review. There is one user, and it may do everything. */
export function answerReview({ info }: ResourceType, review: KubeObject): object {
  const answer = reviews[info.kind]
  if (answer === undefined) throw notImplemented(`${info.kind}s`)
  return { ...answer(review), metadata: {} }
}

function accessOf({ spec }: KubeObject): object {
  const { resourceAttributes, nonResourceAttributes } = isObject(spec) ? spec : {}
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    const field = 'spec.resourceAttributes'
    const message = `Invalid value: ${JSON.stringify(resourceAttributes ?? null)}: exactly one of nonResourceAttributes or resourceAttributes must be specified`
    const cause = { reason: 'FieldValueInvalid', message, field }
    throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', [cause])
  }
  return { allowed: true }
}
