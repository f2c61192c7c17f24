/** What is wrong with a text, in apimachinery's words; nothing when it is right. */
export type Check = (text: string) => string[]

const rule =
  (pattern: string, max: number, says: string): Check =>
  (text) => [
    ...(text.length > max ? [`must be no more than ${max} bytes`] : []),
    ...(new RegExp(`^${pattern}$`).test(text) ? [] : [`${says}, regex used for validation is '${pattern}')`]),
  ]

const edges = 'and must start and end with an alphanumeric character'
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const part = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const characters = "consist of alphanumeric characters, '-', '_' or '.'"

export const dnsLabel = rule(
  label,
  63,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${edges} (e.g. 'my-name',  or '123-abc'`,
)

export const dnsSubdomain = rule(
  `${label}(\\.${label})*`,
  253,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${edges} (e.g. 'example.com'`,
)

export const labelValue = rule(
  `(${part})?`,
  63,
  `a valid label must be an empty string or ${characters}, ${edges} (e.g. 'MyValue',  or 'my_value',  or '12345'`,
)

const namePart = rule(part, 63, `must ${characters}, ${edges} (e.g. 'MyName',  or 'my.name',  or '123-abc'`)

/** `app`, `example.com/app` */
export const qualifiedName: Check = (text) => {
  const [name = '', prefix, more] = text.split('/').reverse()
  if (more !== undefined) {
    const [says] = namePart('')
    return [
      `a valid label key ${says} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const told = (what: string, part: string, check: Check) =>
    (part === '' ? ['must be non-empty'] : check(part)).map((problem) => `${what} part ${problem}`)
  return [
    ...(prefix === undefined ? [] : told('prefix', prefix, dnsSubdomain)),
    ...told('name', name, namePart),
  ]
}

/** A part of a URL's path: what kinds whose names are free allow. */
export const pathSegment: Check = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`)
}

const keyCharacters = rule(
  '[-._a-zA-Z0-9]+',
  253,
  `a valid config key must ${characters} (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name'`,
)

export const configKey: Check = (text) => {
  if (text === '.' || text === '..') return [`must not be '${text}'`]
  return text.startsWith('..') ? ["must not start with '..'"] : keyCharacters(text)
}
