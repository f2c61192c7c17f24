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

const uid = expect.stringMatching(/^[0-9a-f-]{36}$/)

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
  selectorMismatch: since({
    20: 'Invalid value: map[string]string{"app":"a"}: `selector` does not match template `labels`',
    27: 'Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  }),
  selectorFixed: since({
    20: 'Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"b"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
    27: 'Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
  }),
  /** A selector became atomic. */
  ownedSelector: since<unknown>({ 20: { 'f:app': {}, 'f:tier': {} }, 21: {} }),
  wrongDryRun: since({
    20: 'Unsupported value: []string{"Some"}: supported values: "All"',
    30: 'Unsupported value: ["Some"]: supported values: "All"',
  }),
  namespaceMetadata: (name: string) =>
    since<object>({ 20: {}, 21: { labels: { 'kubernetes.io/metadata.name': name } } }),
  daemonSetRollingUpdate: since({ 20: { maxUnavailable: 1 }, 22: { maxUnavailable: 1, maxSurge: 0 } }),
  statefulSet: since<object>({
    20: {},
    27: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } },
  }),
  jobSelector: since<object>({
    20: { 'controller-uid': uid },
    27: { 'batch.kubernetes.io/controller-uid': uid },
  }),
  jobLabels: (name: string) =>
    since<object>({
      20: { 'controller-uid': uid, 'job-name': name },
      27: {
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': name,
        'controller-uid': uid,
        'job-name': name,
      },
    }),
  job: since<object>({
    20: {},
    24: { completionMode: 'NonIndexed', suspend: false },
    34: {
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
    },
  }),
  service: since<object>({
    20: {},
    26: { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', internalTrafficPolicy: 'Cluster' },
  }),
  wrongTypeReason: since({ 20: 'FieldValueInvalid', 27: 'FieldValueTypeInvalid' }),
  noResourceVersion: since({
    20: 'Invalid value: 0x0: must be specified for an update',
    30: 'Invalid value: 0: must be specified for an update',
  }),
}
