import { describe, expect, test } from 'vitest'
import { type ApiServer, configMap, configMaps, pod, pods, startApiServer } from './testing/api-server.ts'

const names = (body: { items: { metadata: { name: string } }[] }) =>
  body.items.map(({ metadata }) => metadata.name)

async function filled(count: number): Promise<ApiServer> {
  const server = await startApiServer()
  for (let number = 0; number < count; number++) {
    await server.ask('POST', configMaps, { body: configMap(`cm-${number}`) })
  }
  return server
}

describe('a list', () => {
  test('is of a namespace or of all, in order, with the revision it is of', async () => {
    const { ask, api } = await startApiServer()
    for (const namespace of ['kube-system', 'default']) {
      await ask('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: configMap('b') })
      await ask('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: configMap('a') })
    }
    const { body } = await ask('GET', configMaps)
    expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
    expect(body.metadata).toEqual({ resourceVersion: String(api.store.revision) })
    expect(names(body)).toEqual(['a', 'b'])
    expect(body.items[0]).not.toHaveProperty('kind')
    expect(names((await ask('GET', '/api/v1/configmaps')).body)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('comes in pages that are all of one revision', async () => {
    const { ask } = await filled(5)
    const first = (await ask('GET', `${configMaps}?limit=2`)).body
    expect(names(first)).toEqual(['cm-0', 'cm-1'])
    expect(first.metadata.remainingItemCount).toBe(3)
    await ask('DELETE', `${configMaps}/cm-3`)
    await ask('POST', configMaps, { body: configMap('cm-2a') })
    const second = (await ask('GET', `${configMaps}?limit=2&continue=${first.metadata.continue}`)).body
    expect(names(second)).toEqual(['cm-2', 'cm-3'])
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const last = (await ask('GET', `${configMaps}?limit=2&continue=${second.metadata.continue}`)).body
    expect(names(last)).toEqual(['cm-4'])
    expect(last.metadata.continue).toBeUndefined()
  })

  test('cannot go on when its revision is forgotten', async () => {
    const { ask, api } = await filled(3)
    const { body } = await ask('GET', `${configMaps}?limit=1`)
    await ask('DELETE', `${configMaps}/cm-2`)
    api.store.compact()
    const late = await ask('GET', `${configMaps}?limit=1&continue=${body.metadata.continue}`)
    expect([late.code, late.body.reason]).toEqual([410, 'Expired'])
    expect(late.body.message).toMatch(/^The provided continue parameter is too old/)
  })

  test('shows an earlier revision when exactly that is asked for', async () => {
    const { ask } = await filled(1)
    const { resourceVersion } = (await ask('GET', configMaps)).body.metadata
    await ask('POST', configMaps, { body: configMap('later') })
    const at = async (match: string) =>
      names(
        (await ask('GET', `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=${match}`))
          .body,
      )
    expect(await at('Exact')).toEqual(['cm-0'])
    expect(await at('NotOlderThan')).toEqual(['cm-0', 'later'])
  })

  test.each([
    ['limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['continue=x', 400, /invalid continue token/],
    ['resourceVersion=x', 400, /^invalid resource version: .*invalid syntax$/],
    ['resourceVersion=99999', 504, /^Timeout: Too large resource version: 99999, current: \d+$/],
    [
      'resourceVersionMatch=Exact',
      422,
      /resourceVersionMatch is forbidden unless resourceVersion is provided/,
    ],
    ['resourceVersionMatch=Exact&resourceVersion=0', 422, /"exact" is forbidden for resourceVersion "0"/],
    ['resourceVersionMatch=Some&resourceVersion=1', 422, /supported values: "Exact", "NotOlderThan", ""/],
    ['sendInitialEvents=true', 422, /sendInitialEvents is forbidden for list/],
    ['labelSelector=a in (b', 400, /unable to parse requirement/],
    [
      'fieldSelector=foo=bar',
      400,
      /"foo" is not a known field selector: only "metadata.name", "metadata.namespace"/,
    ],
    ['fieldSelector=foo', 400, "invalid selector: 'foo'; can't understand 'foo'"],
  ])('refuses ?%s', async (query, code, message) => {
    const { ask } = await startApiServer()
    const answer = await ask('GET', `${configMaps}?${query.replaceAll(' ', '%20')}`)
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
  })
})

describe('selectors', () => {
  const labelled = (name: string, labels: object) => configMap(name, { metadata: { name, labels } })

  test.each([
    ['app=web', ['a', 'b']],
    ['app==web,tier=back', ['b']],
    ['app!=web', ['c', 'd']],
    ['tier', ['b', 'c']],
    ['!tier', ['a', 'd']],
    ['tier in (back, none)', ['b']],
    ['tier notin (back)', ['a', 'c', 'd']],
    ['app in (web,db),!tier', ['a']],
    ['size>5', ['d']],
    ['size<5', []],
    ['', ['a', 'b', 'c', 'd']],
  ])('of labels: %s', async (selector, expected) => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: labelled('a', { app: 'web' }) })
    await ask('POST', configMaps, { body: labelled('b', { app: 'web', tier: 'back' }) })
    await ask('POST', configMaps, { body: labelled('c', { app: 'db', tier: 'data' }) })
    await ask('POST', configMaps, { body: labelled('d', { size: '7' }) })
    const { body } = await ask('GET', `${configMaps}?labelSelector=${encodeURIComponent(selector)}`)
    expect(names(body)).toEqual(expected)
  })

  test.each([
    ['metadata.name=a', ['a']],
    ['metadata.name!=a', ['b']],
    ['metadata.namespace=default', ['a', 'b']],
    ['spec.nodeName=node-1', ['b']],
    ['spec.nodeName=', ['a']],
    ['status.phase=Pending,spec.nodeName=node-1', ['b']],
    ['spec.hostNetwork=false', ['a', 'b']],
  ])('of fields: %s', async (selector, expected) => {
    const { ask } = await startApiServer()
    await ask('POST', pods, { body: pod('a') })
    await ask('POST', pods, { body: pod('b', { nodeName: 'node-1' }) })
    const { body } = await ask('GET', `${pods}?fieldSelector=${encodeURIComponent(selector)}`)
    expect(names(body)).toEqual(expected)
  })
})

describe('forms', () => {
  const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` } })

  test('a table, with the metadata, the object or nothing beside each row', async () => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a', { data: { x: '1' } }) })
    const table = (await ask('GET', configMaps, accept('Table'))).body
    expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    expect(table.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(['Name', 'Data', 'Age'])
    expect(table.rows[0].cells).toEqual(['a', 1, expect.stringMatching(/^\d+s$/)])
    expect(table.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
    const whole = (await ask('GET', `${configMaps}/a?includeObject=Object`, accept('Table'))).body
    expect(whole.rows[0].object.data).toEqual({ x: '1' })
    const none = (await ask('GET', `${configMaps}?includeObject=None`, accept('Table'))).body
    expect(none.rows[0].object).toBeNull()
  })

  test('YAML', async () => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a', { data: { x: '1' } }) })
    const { headers, text } = await ask('GET', `${configMaps}/a`, { headers: { accept: 'application/yaml' } })
    expect(headers['content-type']).toBe('application/yaml')
    expect(text).toMatch(/^data:\n {2}x: "1"$/m)
  })
})
