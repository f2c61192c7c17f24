import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  type ApiServer,
  configMap,
  configMaps,
  crds,
  establish,
  merge,
  startApiServer,
  token,
  until,
  type Watched,
  widget,
  widgetCrd,
  widgets,
} from './testing/api-server.ts'

const labelled = (name: string, labels: object) => configMap(name, { metadata: { name, labels } })

/** Events as type and name, until the stream ends or so many came. */
async function told(watched: Watched, count = Number.POSITIVE_INFINITY): Promise<string[]> {
  const events: string[] = []
  while (events.length < count) {
    const event = await watched.next()
    if (event === undefined) break
    events.push(`${event.type} ${event.object.metadata?.name ?? ''}`.trim())
  }
  return events
}

async function revision({ ask }: ApiServer): Promise<string> {
  return (await ask('GET', configMaps)).body.metadata.resourceVersion
}

describe('a watch', () => {
  test('without a revision tells what is there, then what changes', async () => {
    const { ask, watch } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a') })
    const watched = await watch(`${configMaps}?watch=1`)
    await ask('POST', configMaps, { body: configMap('b') })
    await ask('PATCH', `${configMaps}/a`, { body: { data: { x: '1' } }, type: merge })
    await ask('DELETE', `${configMaps}/b`)
    expect(await told(watched, 4)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b'])
  })

  test('from a revision tells all that came after it, and nothing of other namespaces', async () => {
    const server = await startApiServer()
    const { ask, watch } = server
    await ask('POST', configMaps, { body: configMap('before') })
    const from = await revision(server)
    await ask('POST', configMaps, { body: configMap('a') })
    await ask('POST', '/api/v1/namespaces/kube-system/configmaps', { body: configMap('other') })
    const watched = await watch(`${configMaps}?watch=true&resourceVersion=${from}`)
    await ask('POST', configMaps, { body: configMap('b') })
    expect(await told(watched, 2)).toEqual(['ADDED a', 'ADDED b'])
  })

  test('ends when its time is over, with a bookmark for those who want one', async () => {
    const server = await startApiServer()
    const from = await revision(server)
    const query = `watch=1&timeoutSeconds=1&resourceVersion=${from}`
    const plain = await server.watch(`${configMaps}?${query}`)
    const marked = await server.watch(`${configMaps}?${query}&allowWatchBookmarks=true`)
    await server.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } })
    expect(await plain.next()).toBeUndefined()
    const bookmark = await marked.next()
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } })
    expect(bookmark?.object.metadata.resourceVersion).toBe(await revision(server))
    expect(await marked.next()).toBeUndefined()
  })

  test('streams a list, and says when it is whole', async () => {
    const { ask, watch } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a') })
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const watched = await watch(`${configMaps}?${query}`)
    expect(await told(watched, 1)).toEqual(['ADDED a'])
    expect(await watched.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    const contradictory = await ask('GET', `${configMaps}?watch=1&sendInitialEvents=true`)
    expect(contradictory.code).toBe(422)
  })

  test('with a selector tells of objects that come into it and leave it', async () => {
    const { ask, watch } = await startApiServer()
    await ask('POST', configMaps, { body: labelled('a', { app: 'web' }) })
    await ask('POST', configMaps, { body: labelled('b', { app: 'db' }) })
    const watched = await watch(`${configMaps}?watch=1&labelSelector=app%3Dweb`)
    const relabel = (name: string, app: string) =>
      ask('PATCH', `${configMaps}/${name}`, { body: { metadata: { labels: { app } } }, type: merge })
    await relabel('b', 'web')
    const { body } = await relabel('a', 'db')
    await ask('DELETE', `${configMaps}/a`)
    await ask('PATCH', `${configMaps}/b`, { body: { data: { x: '1' } }, type: merge })
    expect(await told(watched, 2)).toEqual(['ADDED a', 'ADDED b'])
    const left = await watched.next()
    expect(left).toMatchObject({
      type: 'DELETED',
      object: { metadata: { name: 'a', labels: { app: 'web' } } },
    })
    expect(left?.object.metadata.resourceVersion).toBe(body.metadata.resourceVersion)
    expect(await told(watched, 1)).toEqual(['MODIFIED b'])
  })

  test('of one object is a watch of its name', async () => {
    const { ask, watch } = await startApiServer()
    const watched = await watch(`${configMaps}?watch=1&fieldSelector=metadata.name%3Db`)
    await ask('POST', configMaps, { body: configMap('a') })
    await ask('POST', configMaps, { body: configMap('b') })
    expect(await told(watched, 1)).toEqual(['ADDED b'])
  })

  test('from a revision that is forgotten is told so', async () => {
    const server = await startApiServer()
    const from = await revision(server)
    await server.ask('POST', configMaps, { body: configMap('a') })
    server.api.store.compact()
    const watched = await server.watch(`${configMaps}?watch=1&resourceVersion=${from}`)
    expect(await watched.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: expect.stringContaining('too old') },
    })
    expect(await watched.next()).toBeUndefined()
  })

  test('that is open when the history is forgotten has to begin anew', async () => {
    const { api, watch } = await startApiServer()
    const watched = await watch(`${configMaps}?watch=1`)
    api.store.compact()
    expect(await watched.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } })
    expect(await watched.next()).toBeUndefined()
  })

  test('tells commits in order also when one leads to another at once', async () => {
    const { ask, api, watch } = await startApiServer()
    api.store.onChange(({ type, object }) => {
      if (type !== 'ADDED' || object.metadata.name !== 'a') return
      api.writer.change({ resource: 'configmaps', namespace: 'default', name: 'a' }, (found) => ({
        ...found,
        data: { seen: 'yes' },
      }))
    })
    const watched = await watch(`${configMaps}?watch=1`)
    await ask('POST', configMaps, { body: configMap('a') })
    const [first, second] = [await watched.next(), await watched.next()]
    expect([first?.type, second?.type]).toEqual(['ADDED', 'MODIFIED'])
    const [before, after] = [first, second].map((event) => Number(event?.object.metadata.resourceVersion))
    expect(after).toBeGreaterThan(before ?? 0)
  })

  test('comes as a table, whose columns are told once', async () => {
    const { ask, watch } = await startApiServer()
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const watched = await watch(`${configMaps}?watch=1`, { accept })
    await ask('POST', configMaps, { body: configMap('a') })
    await ask('POST', configMaps, { body: configMap('b') })
    const [first, second] = [await watched.next(), await watched.next()]
    expect(first).toMatchObject({
      type: 'ADDED',
      object: { kind: 'Table', rows: [{ cells: ['a', 0, '0s'] }] },
    })
    expect(first?.object.columnDefinitions).toHaveLength(3)
    expect(second?.object.columnDefinitions).toBeNull()
  })

  test('is no YAML', async () => {
    const { ask } = await startApiServer()
    const answer = await ask('GET', `${configMaps}?watch=true`, { headers: { accept: 'application/yaml' } })
    expect(answer.code).toBe(406)
  })

  test('ends with the resource it is of', async () => {
    const server = await startApiServer()
    await establish(server, widgetCrd())
    await server.ask('POST', widgets, { body: widget('a') })
    const watched = await server.watch(`${widgets}?watch=1`)
    await server.ask('DELETE', `${crds}/widgets.example.com`)
    expect(await told(watched)).toEqual(['ADDED a', 'DELETED a'])
  })

  test('of a client that does not read is cut off', async () => {
    const server = await startApiServer()
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    await once(socket, 'readable')
    const ended = once(socket, 'close')
    // From here on nothing is read: what the kernel and the sandbox hold for it fills up.
    const { writer } = server.api
    const key = { resource: 'configmaps', namespace: 'default', name: 'big' }
    writer.create(configMap('big', { metadata: { name: 'big', namespace: 'default' } }))
    const text = 'x'.repeat(2_000)
    for (let number = 0; number < 25_000; number++) {
      writer.change(key, (object) => ({ ...object, data: { text, number: String(number) } }))
      if (number % 500 === 0) await new Promise(setImmediate)
    }
    socket.resume()
    await ended
    await until(server, () => true)
  })
})
