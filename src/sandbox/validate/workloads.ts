import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { forbiddenField, invalidValue, required, unsupported } from './causes.ts'
import { fixed, type KindCheck } from './fixed.ts'
import { checkLabels } from './metadata.ts'
import { checkPodSpec, checkPodUpdate, items, oneOf, text } from './pods.ts'

const cronTemplate = 'spec.jobTemplate.spec.template.spec'

/** What is checked of pods and of what makes them. */
export const workloadChecks: Readonly<Record<string, readonly KindCheck[]>> = {
  Pod: [
    (pod) => checkPodSpec('spec', pod.spec),
    (pod, previous) => (previous === undefined ? [] : checkPodUpdate(pod, previous)),
  ],
  Deployment: [
    nonNegative('replicas'),
    template,
    alwaysRestarts,
    strategy,
    nonNegative('minReadySeconds'),
    fixed('selector'),
  ],
  ReplicaSet: [nonNegative('replicas'), template, alwaysRestarts, fixed('selector')],
  DaemonSet: [template, alwaysRestarts, fixed('selector')],
  StatefulSet: [nonNegative('replicas'), template, alwaysRestarts, statefulSetUpdate],
  Job: [
    (job) => checkPodSpec('spec.template.spec', at(job, 'spec', 'template', 'spec')),
    (job) => endingRestarts('spec.template.spec', job),
    fixed('completionMode'),
    fixed('selector'),
    fixed('template'),
  ],
  CronJob: [
    (job) => (text(at(job, 'spec', 'schedule')) === '' ? [required('spec.schedule')] : checkSchedule(job)),
    (job) => checkPodSpec(cronTemplate, at(job, ...cronTemplate.split('.'))),
    (job) => endingRestarts(cronTemplate, job),
  ],
}

function nonNegative(field: string): KindCheck {
  return (object) => {
    const value = Number(at(object, 'spec', field) ?? 0)
    return value < 0 ? [invalidValue(`spec.${field}`, value, 'must be greater than or equal to 0')] : []
  }
}

function template({ kind, spec }: KubeObject): Cause[] {
  const selector = at(spec, 'selector')
  const labels = at(spec, 'template', 'metadata', 'labels')
  const isEmpty = isObject(selector) && Object.keys(selector).length === 0
  const empty = invalidValue('spec.selector', {}, `empty selector is invalid for ${kind.toLowerCase()}`)
  const mismatch = invalidValue(
    'spec.template.metadata.labels',
    labels ?? null,
    '`selector` does not match template `labels`',
  )
  return [
    ...(selector === undefined ? [required('spec.selector')] : []),
    ...(isEmpty ? [empty] : []),
    ...(isEmpty || (isObject(selector) && selects(selector, isObject(labels) ? labels : {}))
      ? []
      : [mismatch]),
    ...checkLabels('spec.template.labels', labels),
    ...checkPodSpec('spec.template.spec', at(spec, 'template', 'spec')),
  ]
}

function selects({ matchLabels, matchExpressions }: JsonObject, labels: JsonObject): boolean {
  const areEqual = Object.entries(isObject(matchLabels) ? matchLabels : {}).every(
    ([key, value]) => labels[key] === value,
  )
  return (
    areEqual &&
    items(matchExpressions).every(({ key, operator, values }) => {
      const value = labels[text(key)]
      const isListed = Array.isArray(values) && values.includes(value)
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      return operator === 'In' ? isListed : !isListed
    })
  )
}

function alwaysRestarts(object: KubeObject): Cause[] {
  const path = 'spec.template.spec.restartPolicy'
  return oneOf(path, at(object, ...path.split('.')), ['Always'])
}

function endingRestarts(path: string, object: KubeObject): Cause[] {
  const policy = at(object, ...path.split('.'), 'restartPolicy')
  const isEnding = policy === 'OnFailure' || policy === 'Never'
  return isEnding ? [] : [required(`${path}.restartPolicy`, 'valid values: "OnFailure", "Never"')]
}

function strategy({ spec }: KubeObject): Cause[] {
  const type = at(spec, 'strategy', 'type')
  const rolling = at(spec, 'strategy', 'rollingUpdate')
  const why = "may not be specified when strategy `type` is 'Recreate'"
  if (type === 'Recreate' && rolling !== undefined)
    return [forbiddenField('spec.strategy.rollingUpdate', why)]
  if (type === 'Recreate' || type === 'RollingUpdate') return []
  return [
    unsupported('spec.strategy', { Type: type, RollingUpdate: rolling ?? null }, [
      'Recreate',
      'RollingUpdate',
    ]),
  ]
}

const mutableOfStatefulSet = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

function statefulSetUpdate(object: KubeObject, previous: KubeObject | undefined): Cause[] {
  const rest = ({ spec }: KubeObject) =>
    Object.entries(isObject(spec) ? spec : {}).filter(([field]) => !mutableOfStatefulSet.includes(field))
  if (previous === undefined || isDeepStrictEqual(new Map(rest(object)), new Map(rest(previous)))) return []
  const quoted = mutableOfStatefulSet.map((field) => `'${field}'`)
  const fields = `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`
  return [forbiddenField('spec', `updates to statefulset spec for fields other than ${fields} are forbidden`)]
}

function checkSchedule(job: KubeObject): Cause[] {
  const schedule = text(at(job, 'spec', 'schedule'))
  const fields = schedule.trim().split(/\s+/)
  if (schedule.startsWith('@') || fields.length === 5) return []
  const why = `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`
  return [invalidValue('spec.schedule', schedule, why)]
}
