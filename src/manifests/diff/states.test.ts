import { expect, test } from 'vitest'
import { compare, describePath } from './compare.ts'
import { unknownShape } from './shape.ts'
import { followed } from './states.ts'

const file = { spec: { replicas: 2, image: 'a', note: 'x' } }
const live = { spec: { replicas: 2, image: 'a', note: 'x', policy: 'Always' } }
const agreed = { file, live }

test('what the cluster has beyond the file is no difference as long as it stays', () => {
  expect(followed(agreed, live, unknownShape)).toEqual(file)
})

test('what changed in the cluster is, also where the file says nothing', () => {
  const now = { spec: { replicas: 5, note: 'x', image: 'a', policy: 'Never', added: true } }
  const remote = followed(agreed, now, unknownShape)
  expect(remote).toEqual({ spec: { replicas: 5, image: 'a', note: 'x', policy: 'Never', added: true } })
})

test('an unpushed edit and an unpulled change are told apart, and a field with both is a conflict', () => {
  const local = { spec: { replicas: 2, image: 'b', note: 'mine' } }
  const remote = followed(
    agreed,
    { spec: { replicas: 3, image: 'a', note: 'theirs', policy: 'Always' } },
    unknownShape,
  )
  const said = compare({ base: file, local, remote }, unknownShape).map(({ path, whose }) => [
    describePath(path),
    whose,
  ])
  expect(said).toEqual([
    ['spec.replicas', 'remote'],
    ['spec.image', 'local'],
    ['spec.note', 'both'],
  ])
})
