import { stringify } from 'yaml'
import type { Json } from '../value.ts'
import { yamlOptions } from './parse.ts'

/** How the YAML library is to lay out what it writes: as people write manifests, one value a line, texts as blocks. */
export const outputOptions = {
  lineWidth: 0,
  indentSeq: false,
  blockQuote: 'literal',
} as const

/** A value as a YAML text that Kubernetes reads as the same value. Ends with a line end. */
export function toYaml(value: Json): string {
  return stringify(value, { ...(yamlOptions as object), ...outputOptions, aliasDuplicateObjects: false })
}
