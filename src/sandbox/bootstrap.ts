import type { Writer } from './writer.ts'

/** Writes what an API server itself puts into an empty cluster. */
export function bootstrap(writer: Writer): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    writer.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  writer.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }] },
  })
  for (const [name, value] of [
    ['system-node-critical', 2_000_001_000],
    ['system-cluster-critical', 2_000_000_000],
  ] as const) {
    writer.create({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value })
  }
}
