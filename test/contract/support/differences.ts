import { expect } from 'vitest'
import { server } from './suite.ts'

/** The newest of several: keys are the minor version of Kubernetes that first had it so. */
function since<T>(known: Readonly<Record<number, T>>): T {
  const fitting = Object.keys(known)
    .map(Number)
    .filter((minor) => minor <= server.minor)
  const newest = known[Math.max(...fitting)]
  if (newest === undefined) throw new Error(`nothing is known of version 1.${server.minor}`)
  return newest
}

/** Everything that servers say or do differently by their version; 20 stands for all that is old. */
export const differing = {
  notAcceptable: since({
    20: '406: Not Acceptable',
    30: expect.stringMatching(/^406: Not Acceptable\n\nAvailable representations: application\/json, /),
  }),
  wrongType: since({
    20: expect.stringContaining('v1.ConfigMap.Data: ReadString: expects " or n, but found 1'),
    23: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  }),
  wrongDryRun: since({
    20: 'Unsupported value: []string{"Some"}: supported values: "All"',
    30: 'Unsupported value: ["Some"]: supported values: "All"',
  }),
}
