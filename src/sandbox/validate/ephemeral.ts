import { at, isObject } from '../object.ts'
import { list, text } from '../values.ts'
import { duplicate, forbiddenField, notFoundValue } from './causes.ts'
import type { Check } from './rows.ts'

/** What other containers may have, and these may not. */
const forbidden = [
  ...['ports', 'resources', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'],
]

/**
 * What is asked of ephemeral containers beyond what is of all: they have no field that needs a manager of their own, no name
 * that another one has, and the target is there. Source: validateEphemeralContainers in Kubernetes'
 * pkg/apis/core/validation/validation.go.
 */
export const ephemeral: Check = ({ path, value: spec }) => {
  const others = [...list(at(spec, 'containers')), ...list(at(spec, 'initContainers'))].map(({ name }) =>
    text(name),
  )
  return list(at(spec, 'ephemeralContainers')).flatMap((container, index) => {
    const field = `${path}.ephemeralContainers[${index}]`
    const { name, targetContainerName } = container
    const target = text(targetContainerName)
    return [
      ...(others.includes(text(name)) ? [duplicate(`${field}.name`, name)] : []),
      ...forbidden
        .filter((one) => says(container[one]))
        .map((one) => forbiddenField(`${field}.${one}`, 'cannot be set for an Ephemeral Container')),
      ...(target === '' || others.includes(target)
        ? []
        : [notFoundValue(`${field}.targetContainerName`, target)]),
    ]
  })
}

function says(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isObject(value) ? Object.keys(value).length > 0 : value !== undefined && value !== null
}
