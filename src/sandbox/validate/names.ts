/** What is wrong with a text, in apimachinery's words; nothing when it is right. */
export type Check = (text: string) => string[]

interface Rule {
  readonly pattern: RegExp
  readonly max?: number
  readonly says: string
}

const rule =
  ({ pattern, max, says }: Rule): Check =>
  (text) => [
    ...(max !== undefined && text.length > max ? [`must be no more than ${max} bytes`] : []),
    ...(pattern.test(text) ? [] : [says]),
  ]

const edges = 'and must start and end with an alphanumeric character'

export const dnsLabel = rule({
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  max: 63,
  says: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${edges} (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
})

export const dnsSubdomain = rule({
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  max: 253,
  says: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${edges} (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
})

export const labelValue = rule({
  pattern: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  max: 63,
  says: `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${edges} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
})

const qualifiedPart = "consist of alphanumeric characters, '-', '_' or '.'"
const qualifiedSays = `must ${qualifiedPart}, ${edges} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`
const namePart = rule({ pattern: /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/, max: 63, says: qualifiedSays })

/** `app`, `example.com/app` */
export const qualifiedName: Check = (text) => {
  const [name = '', prefix, more] = text.split('/').reverse()
  if (more !== undefined) {
    return [
      `a valid label key ${qualifiedSays} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const inPrefix = prefix === undefined ? [] : prefix === '' ? ['must be non-empty'] : dnsSubdomain(prefix)
  const inName = name === '' ? ['must be non-empty'] : namePart(name)
  return [
    ...inPrefix.map((problem) => `prefix part ${problem}`),
    ...inName.map((problem) => `name part ${problem}`),
  ]
}

/** A part of a URL's path: what kinds whose names are free allow. */
export const pathSegment: Check = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`)
}

export const configKey: Check = (text) => {
  const { length } = text
  if (text === '.' || text === '..') return [`must not be '${text}'`]
  if (text.startsWith('..')) return ["must not start with '..'"]
  if (length <= 253 && /^[-._a-zA-Z0-9]+$/.test(text)) return []
  if (length > 253) return ['must be no more than 253 bytes']
  return [
    `a valid config key must ${qualifiedPart} (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ]
}

export const portName: Check = (text) => [
  ...(text.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]*$/.test(text)
    ? []
    : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(text) ? [] : ['must contain at least one letter (a-z)']),
  ...(text.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(/^-|-$/.test(text) ? ['must not begin or end with a hyphen'] : []),
]

export const portNumber = (port: number): string[] =>
  port >= 1 && port <= 65_535 ? [] : ['must be between 1 and 65535, inclusive']

export const envName: Check = (text) =>
  /^[\x20-\x3c\x3e-\x7e]+$/.test(text)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
