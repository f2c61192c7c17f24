import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { anyStamp } from '../testing/arbitrary.ts'
import type { Stamp, Tree } from '../tree.ts'
import { agreedBy, carriedOut, type Intent, readIntents, writeIntents } from './intents.ts'

const source: Stamp = { mtimeMs: 1000.0004, ctimeMs: 2000, ino: 7, size: 5, mode: 0o100644 }
/** What was written of it on another machine: its size, and its time but for what is below a microsecond. */
const written: Stamp = { ...source, mtimeMs: 1000, ctimeMs: 9000, ino: 99 }
const intent: Intent = { side: 'remote', path: 'f', source }

const file = (stamp: Stamp): Tree => ({ entry: { kind: 'file', executable: false, stamp } })
function root(name?: string, child?: Tree): Tree {
  const children = new Map(name === undefined || child === undefined ? [] : [[name, child]])
  return { entry: { kind: 'directory', stamp: source }, children }
}

describe('what was sent and not answered', () => {
  test('is the same after it was written down', () => {
    const anyPath = fc.stringMatching(/^[a-z]{1,5}(\/[a-z]{1,5}){0,2}$/)
    const side = fc.constantFrom('local' as const, 'remote' as const)
    const anyIntent = fc.record({ side, path: anyPath, source: anyStamp })
    const property = fc.property(fc.array(anyIntent), (intents) => {
      const writer = new ByteWriter()
      writeIntents(writer, intents)
      expect(readIntents(new ByteReader(writer.take()))).toEqual(intents)
    })
    fc.assert(property)
  })

  test('was carried out if the other side holds a copy, and counts if its source is gone or another one', () => {
    const remote = root('f', file(written))
    for (const local of [root(), root('f', file({ ...source, size: 6 }))]) {
      const [deed] = carriedOut([intent], { local, remote })
      expect(deed && agreedBy(deed, 'digest')).toEqual([
        'f',
        { kind: 'file', digest: 'digest', executable: false, local: source, remote: written },
      ])
    }
  })

  test.each([
    ['its source is still there: they are compared', root('f', file(source)), root('f', file(written))],
    ['nothing came of it', root(), root()],
    ['what is there has another size', root(), root('f', file({ ...written, size: 6 }))],
    ['what is there has another time', root(), root('f', file({ ...written, mtimeMs: 1001 }))],
  ])('is no agreement where %s', (_why, local, remote) => {
    expect(carriedOut([intent], { local, remote })).toEqual([])
  })
})
