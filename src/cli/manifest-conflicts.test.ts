import { expect, test } from 'vitest'
import type { KeptFolder } from '../daemon/keeps/runner.ts'
import type { KeepConflict, KeepStatus } from '../manifests/keep/status.ts'
import { formatManifests, manifestViews } from './get-manifests.ts'
import {
  formatManifestConflicts,
  manifestConflicts,
  meantConflicts,
  nameOfConflict,
  showManifestConflict,
} from './manifest-conflicts.ts'

const changed = (field: string, more: Partial<KeepConflict> = {}): KeepConflict => ({
  ...{ id: field, kind: 'conflict', resource: 'Deployment.apps d/web', file: 'web.yaml', field },
  ...{ local: '2', remote: '3', why: 'both sides changed it', answers: '' },
  ...more,
})
const gone = changed('', {
  id: 'g',
  kind: 'deleted-here',
  resource: 'ConfigMap d/conf',
  file: 'conf.yaml',
  local: undefined,
})
const many = changed('', { id: 'm', kind: 'many-deleted', resource: '', file: '' })

function kept(conflicts: readonly KeepConflict[], more: Partial<KeepStatus> = {}): KeptFolder {
  const cluster = { context: 'kind', server: 'https://k', namespace: 'd' }
  return {
    ...{ folder: '/m', kubeconfig: '', ...cluster, mode: 'two-way', onConflict: 'ask', onDeletion: 'ask' },
    ...{ mayWriteCluster: true, stays: true },
    status: {
      ...{ state: 'waiting', reason: '', mode: 'two-way', root: '/m', cluster, objects: 4, drift: 0 },
      ...{ writes: { files: 0, cluster: 1 }, lastWrites: [], conflicts, left: [], problems: [] },
      ...more,
    },
  }
}

const all = manifestConflicts([kept([changed('spec.replicas'), changed('spec.paused'), gone])])

test.each([
  ['web', ['spec.replicas', 'spec.paused']],
  ['deployment/web', ['spec.replicas', 'spec.paused']],
  ['web:spec.paused', ['spec.paused']],
  ['Deployment.apps d/web:spec.replicas', ['spec.replicas']],
  ['web.yaml', ['spec.replicas', 'spec.paused']],
  ['configmap/conf', ['g']],
  ['g', ['g']],
  ['we', []],
  ['web:spec', []],
])('%s means %j', (word, ids) => {
  expect(meantConflicts(all, word).map(({ id }) => id)).toEqual(ids)
})

test('what names a conflict means it', () => {
  for (const one of manifestConflicts([kept([changed('spec.paused'), gone, many])])) {
    expect(meantConflicts([one], nameOfConflict(one))).toEqual([one])
  }
})

test('are listed with both values, deletions with what is there', () => {
  const [, first, , last] = formatManifestConflicts(all, false).split('\n')
  expect(first).toMatch(/^Deployment.apps d\/web +spec.replicas +2 +3 +web.yaml$/)
  expect(last).toMatch(/^ConfigMap d\/conf +\(all of it\) +- +there +conf.yaml$/)
})

test('are shown in full to somebody who is asked, as far as a screen has room, and cannot steer it', () => {
  const [one] = manifestConflicts([
    kept([changed('data.x', { local: 'a\n\u001b[2Jb', remote: '1\n'.repeat(50) })]),
  ])
  const shown = one === undefined ? '' : showManifestConflict(one, '1 of 2')
  expect(shown).toContain('1 of 2: Deployment.apps d/web (web.yaml): data.x')
  expect(shown).toContain('\\x1b[2Jb')
  expect(shown.split('\n').length).toBeLessThan(32)
})

test('get counts what waits of each kind, and says why something does not run', () => {
  const rows = (one: KeptFolder) => formatManifests(manifestViews([], [one]), false)
  expect(rows(kept([changed('a'), gone]))).toContain('in step, 1 conflict, 1 deletion')
  expect(rows(kept([], { state: 'away', reason: 'no answer' }))).toMatch(/disconnected.*\n\n\/m: no answer/)
  expect(rows({ ...kept([]), trouble: 'there is no folder' })).toMatch(/failing.*\n\n\/m: there is no folder/)
})

test('what is written down is shown as stopped where nothing runs', () => {
  const { status: _, stays: __, ...order } = kept([])
  expect(manifestViews([order], undefined)).toMatchObject([
    { kind: 'manifests', name: '/m', state: 'stopped' },
  ])
})
