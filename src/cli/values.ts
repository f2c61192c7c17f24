import type { Toleration } from '../agent/install/objects.ts'
import { KubesyncError } from '../errors.ts'
import { readPattern } from '../files/ignore/pattern.ts'

/** Something on the command line that cannot be meant. */
export function usageError(message: string, hint?: string): KubesyncError {
  return new KubesyncError('USAGE', message, hint === undefined ? {} : { hint })
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A length of time as kubectl takes it (`90s`, `2m`, `1h30m`), in milliseconds; more than none. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit ?? ''] ?? 0), 0)
  if (parts.map(([part]) => part).join('') !== text || total <= 0) {
    throw usageError(`\`${text}\` is not a length of time`, 'write it like 90s, 2m or 1h30m')
  }
  return total
}

/** A whole number within bounds. */
export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw usageError(`\`${text}\` is not a number from ${least} to ${most}`)
  }
}

const labelName = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/

/** Labels as kubectl takes them: `key=value`, several with commas between them. */
export function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map(parseLabel))
}

function parseLabel(text: string): [string, string] {
  const [key = '', value, ...rest] = text.split('=')
  if (value === undefined || rest.length > 0 || !labelName.test(key) || !labelValue.test(value)) {
    throw usageError(`\`${text}\` is not a label`, 'write it like kubernetes.io/arch=amd64')
  }
  return [key, value]
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** A toleration in the words of `kubectl taint`: `key=value:Effect`, `key:Effect`, `key=value`, `key`, or `*` for every taint. */
export function parseToleration(text: string): Toleration {
  if (text === '*') return { operator: 'Exists' }
  const match = /^([^=:]+)(?:=([^=:]*))?(?::([A-Za-z]+))?$/.exec(text)
  const [, key = '', value, effect] = match ?? []
  if (!labelName.test(key) || (value !== undefined && !labelValue.test(value))) {
    throw usageError(
      `\`${text}\` is not a toleration`,
      'write it like key=value:NoSchedule, key:NoSchedule, key, or * for every taint',
    )
  }
  if (effect !== undefined && !effects.includes(effect)) {
    throw usageError(`\`${effect}\` is not a taint's effect`, `there are ${effects.join(', ')}`)
  }
  return {
    key,
    ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }),
    ...(effect === undefined ? {} : { effect }),
  }
}

/** A pattern in the syntax of .gitignore that can match something. */
export function parsePattern(text: string): string {
  const isOne = text.length <= 4096 && !/[\0\r\n]/.test(text)
  if (isOne && readPattern(text) !== undefined) return text
  throw usageError(
    `\`${text}\` matches nothing`,
    text.startsWith('#')
      ? `write \\${text} for that name`
      : 'write it like node_modules/ or *.log, as in a .gitignore',
  )
}

/** The name of a namespace, a pod or a container: a DNS label, or for pods several with dots. */
export function parseObjectName(what: string): (text: string) => string {
  return (text) => {
    if (text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text))
      return text
    throw usageError(
      `\`${text}\` cannot be the name of a ${what}`,
      'such names have lower-case letters, digits and dashes',
    )
  }
}

/**
 * Checks a label selector in the syntax of kubectl: requirements `key`, `!key`, `key=value`, `key!=value`,
 * `key in (a,b)` and `key notin (a,b)`, with commas between them. Returns it trimmed.
 */
export function parseSelector(text: string): string {
  // A comma separates requirements unless a closing parenthesis follows without an opening one before it.
  const requirements = text.split(/,(?![^(]*\))/).map((part) => part.trim())
  const wrong = requirements.find((requirement) => !isRequirement(requirement))
  if (wrong === undefined) return text.trim()
  throw usageError(`\`${text.trim()}\` is not a label selector`, 'write it like app=demo,tier!=cache')
}

function isRequirement(text: string): boolean {
  const set = /^(\S+)\s+(?:not)?in\s*\(([^()]*)\)$/.exec(text)
  if (set !== null) {
    const values = (set[2] ?? '').split(',').map((value) => value.trim())
    return labelName.test(set[1] ?? '') && values.every((value) => labelValue.test(value))
  }
  const equal = /^([^\s=!]+)\s*(?:==?|!=)\s*([^\s=!]*)$/.exec(text)
  if (equal !== null) return labelName.test(equal[1] ?? '') && labelValue.test(equal[2] ?? '')
  return labelName.test(text.replace(/^!\s*/, ''))
}

/** `UID` or `UID:GID`, in numbers. */
export function parseOwner(text: string): string {
  if (/^\d{1,9}(:\d{1,9})?$/.test(text)) return text
  throw usageError(
    `\`${text}\` is not a UID, or a UID:GID, in numbers`,
    'names may mean others in the container: `id` there tells the numbers',
  )
}

/** Permissions in octal; whoever owns it has to be able to go on using it. */
export function parsePermissions(what: 'files' | 'directories'): (text: string) => string {
  const [pattern, example] =
    what === 'files' ? [/^0?[67][0-7]{2}$/, '640'] : ([/^0?7[0-7]{2}$/, '750'] as const)
  return (text) => {
    if (pattern.test(text)) return text
    throw usageError(`\`${text}\` cannot be the permissions of new ${what}`, `write them like ${example}`)
  }
}
