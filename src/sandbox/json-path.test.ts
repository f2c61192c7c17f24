import { expect, test } from 'vitest'
import { jsonPath } from './json-path.ts'

const object = {
  metadata: { labels: { 'example.com/app': 'web' }, annotations: { 'a.b': 'c' } },
  spec: {
    size: 3,
    ports: [
      { name: 'http', port: 80 },
      { name: 'tls', port: 443 },
    ],
  },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
}

test.each([
  ['.spec.size', [3]],
  ['.spec.ports[1].port', [443]],
  ['.spec.ports[*].name', ['http', 'tls']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type=='Done')].status", []],
  ['.metadata.annotations.a\\.b', ['c']],
  [".metadata.labels['example.com/app']", ['web']],
  ['.spec.none.of.it', []],
  ['.spec[?(@.size > 2)]', []],
])('%s', (path, found) => {
  expect(jsonPath(object, path)).toEqual(found)
})
