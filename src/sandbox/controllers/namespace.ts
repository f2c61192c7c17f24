import type { Writer } from '../writer.ts'

/** What each namespace has from its beginning. */
export function fillNamespace(writer: Writer, namespace: string, ca: string): void {
  const found = writer.store.get('namespaces', { name: namespace })
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return
  if (writer.store.get('serviceaccounts', { namespace, name: 'default' }) === undefined) {
    writer.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
  }
  const name = 'kube-root-ca.crt'
  if (writer.store.get('configmaps', { namespace, name }) === undefined) {
    writer.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { 'ca.crt': ca },
    })
  }
}
