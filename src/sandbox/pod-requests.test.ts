import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ExecOptions, LogOptions, PodStreams } from './node/streams.ts'
import { merge, pod, pods, startApiServer, strategic, token } from './testing/api-server.ts'

/** A node that writes down what it is asked for. */
function recorder() {
  const asked: { exec: ExecOptions[]; logs: LogOptions[]; forwards: string[] } = {
    exec: [],
    logs: [],
    forwards: [],
  }
  const streams: PodStreams = {
    exec(_, options, { socket }) {
      asked.exec.push(options)
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    },
    portForward({ metadata }, { socket }) {
      asked.forwards.push(metadata.name)
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    },
    logs(_, options, response) {
      asked.logs.push(options)
      response.end('a line\n')
    },
  }
  return { asked, streams }
}

async function running() {
  const { asked, streams } = recorder()
  const server = await startApiServer({ streams })
  await server.ask('POST', pods, { body: pod('web', { nodeName: 'node-1' }) })
  const containers = [
    { name: 'a', image: 'any' },
    { name: 'b', image: 'any' },
  ]
  await server.ask('POST', pods, { body: pod('two', { nodeName: 'node-1', containers }) })
  return { ...server, asked }
}

/** The first line of the answer to a request for an upgrade. */
async function upgrade(port: number, path: string, method = 'GET'): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const lines = ['Host: any', `Authorization: Bearer ${token}`, 'Connection: Upgrade', 'Upgrade: websocket']
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'end')
  socket.destroy()
  return text.split('\r\n')[0] ?? ''
}

describe('exec, attach and port-forward', () => {
  test("are handed to the pod's node", async () => {
    const { port, asked } = await running()
    const query = 'command=ls&command=-l&container=web&stdout=true&stderr=1&stdin=false'
    expect(await upgrade(port, `${pods}/web/exec?${query}`)).toBe('HTTP/1.1 101 Switching Protocols')
    await upgrade(port, `${pods}/web/attach?stdin=true&tty=true`, 'POST')
    await upgrade(port, `${pods}/two/portforward?ports=80`)
    const none = { stdin: false, stdout: false, stderr: false, tty: false, attach: false }
    expect(asked.exec).toEqual([
      { ...none, container: 'web', command: ['ls', '-l'], stdout: true, stderr: true },
      { ...none, container: '', command: [], stdin: true, tty: true, attach: true },
    ])
    expect(asked.forwards).toEqual(['two'])
  })

  test.each([
    ['web/exec?container=other&command=ls', 'HTTP/1.1 400 BadRequest'],
    ['two/exec?command=ls', 'HTTP/1.1 400 BadRequest'],
    ['none/exec?command=ls', 'HTTP/1.1 404 NotFound'],
    ['web/log', 'HTTP/1.1 404 NotFound'],
  ])('%s is refused', async (path, line) => {
    const { port } = await running()
    expect(await upgrade(port, `${pods}/${path}`)).toBe(line)
  })

  test('need an upgrade', async () => {
    const { ask } = await running()
    const { code, body } = await ask('GET', `${pods}/web/exec?command=ls`)
    expect([code, body.message]).toEqual([400, 'Upgrade request required'])
  })
})

describe('logs', () => {
  test('are asked of the node', async () => {
    const { ask, asked } = await running()
    const query = 'follow=true&tailLines=5&sinceSeconds=9&limitBytes=100&timestamps=true&previous=true'
    expect((await ask('GET', `${pods}/web/log?${query}`)).text).toBe('a line\n')
    expect(asked.logs).toEqual([
      {
        ...{ container: '', follow: true, previous: true, timestamps: true },
        ...{ tailLines: 5, sinceSeconds: 9, limitBytes: 100 },
      },
    ])
  })

  test('of a pod that is nowhere yet are empty', async () => {
    const { ask } = await running()
    await ask('POST', pods, { body: pod('new') })
    expect(await ask('GET', `${pods}/new/log`)).toMatchObject({ code: 204, text: '' })
  })

  test.each([
    ['web/log?container=other', 400, 'container other is not valid for pod web'],
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
    ['web/log?tailLines=-3', 422, /tailLines: Invalid value: -3: must be greater than or equal to 0/],
    ['web/log?sinceSeconds=0', 422, /sinceSeconds: Invalid value: 0: must be greater than 0/],
    ['none/log', 404, 'pods "none" not found'],
  ])('%s is refused', async (path, code, message) => {
    const { ask } = await running()
    const answer = await ask('GET', `${pods}/${path}`)
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
  })
})

describe('ephemeral containers', () => {
  const debug = { spec: { ephemeralContainers: [{ name: 'debug', image: 'any' }] } }
  const path = `${pods}/web/ephemeralcontainers`

  test('are added through their subresource alone', async () => {
    const { ask } = await running()
    const direct = await ask('PATCH', `${pods}/web`, { body: debug, type: strategic })
    expect([direct.code, direct.body.reason]).toEqual([422, 'Invalid'])
    const { code, body } = await ask('PATCH', path, { body: debug, type: strategic })
    expect(code).toBe(200)
    expect(body.spec.ephemeralContainers).toMatchObject([{ name: 'debug', imagePullPolicy: 'Always' }])
    expect(body.metadata.generation).toBe(2)
  })

  test('stay as they are', async () => {
    const { ask } = await running()
    await ask('PATCH', path, { body: debug, type: strategic })
    for (const [ephemeralContainers, why] of [
      [[], 'may not be removed'],
      [[{ name: 'debug', image: 'other' }], 'may not be changed'],
    ] as const) {
      const { body } = await ask('PATCH', path, { body: { spec: { ephemeralContainers } }, type: merge })
      expect(body.message).toContain(`existing ephemeral containers "debug" ${why}`)
    }
  })
})

test('pods that ask their node for what it does not do are not created', async () => {
  const { ask } = await running()
  const volumes = [{ name: 'v', hostPath: { path: '/' } }]
  const { code, body } = await ask('POST', pods, { body: pod('host', { volumes }) })
  expect([code, body.reason]).toEqual([501, 'NotImplemented'])
})
