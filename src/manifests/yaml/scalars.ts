import type { ScalarTag } from 'yaml'

/**
 * Scalars as the API server's clients read them (sigs.k8s.io/yaml over go-yaml 2: YAML 1.1 without sexagesimal
 * numbers and timestamps): `yes` and `on` are true, `0644` and `0o644` are octal, `1_000` is a thousand.
 */
const nothing: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^(?:~|null|Null|NULL)?$/,
  identify: (value) => value === null,
  resolve: () => null,
  stringify: () => 'null',
}

const yes = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/
const boolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/,
  identify: (value) => typeof value === 'boolean',
  resolve: (text) => yes.test(text),
  stringify: ({ value }) => String(value),
}

const integer: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$/,
  identify: (value) => typeof value === 'number' && Number.isSafeInteger(value),
  resolve: (text, onError) => {
    const value = toInteger(text.replaceAll('_', ''))
    if (!Number.isSafeInteger(value)) onError(`${text} is too large to be kept exactly`)
    return value
  },
  stringify: ({ value }) => String(value),
}

function toInteger(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const digits = text.replace(/^[-+]/, '').toLowerCase()
  if (/^0[box]/.test(digits)) return sign * Number(digits) + 0
  // Adding nothing makes of a negative zero the one that JSON has.
  return sign * Number.parseInt(digits, digits.startsWith('0') ? 8 : 10) + 0
}

const float: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)$/,
  identify: (value) => typeof value === 'number',
  resolve: (text) => {
    const value = Number(text.replaceAll('_', ''))
    return Number.isFinite(value) ? value : text
  },
  stringify: ({ value }) => String(value),
}

/** Not numbers in JSON: read as what they are, so that they can be refused by name. */
const special: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text, onError) => {
    onError(`${text} is no number that Kubernetes knows`)
    return null
  },
}

/** In the order in which they are tried; what none of them takes is a string. */
export const scalarTags: readonly ScalarTag[] = [nothing, boolean, integer, float, special]
