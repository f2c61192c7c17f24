import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { askResume, askStatus, askStop } from './client.ts'

const status = { pid: 1, startedAt: '', configPath: '', watches: true, specs: [], keeps: [] }

/** What listens at a socket; each connection is handled by the next of the listeners, and the last handles the rest. */
async function listening(...listeners: RequestListener[]): Promise<{ socket: string; server: Server }> {
  const directory = mkdtempSync(join(tmpdir(), 'client-'))
  const socket = join(directory, 'socket')
  const [last] = listeners.slice(-1)
  const server = createServer((request, response) => (listeners.shift() ?? last)?.(request, response))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  onTestFinished(() => {
    server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { socket, server }
}

const hangUp: RequestListener = ({ socket }) => socket.destroy()

test('a watch that hangs up because it ends is none', async () => {
  const ends: RequestListener = ({ socket }) => {
    server.close()
    socket.destroy()
  }
  const { socket, server } = await listening(ends)
  expect(await askStatus(socket)).toBeUndefined()
  expect(await askStop(socket, { what: 'specs' })).toBeUndefined()
})

test('one that takes its place is asked instead', async () => {
  const { socket } = await listening(hangUp, hangUp, (_, response) => response.end(JSON.stringify(status)))
  expect(await askStatus(socket)).toEqual(status)
})

test('one that only ever hangs up is told of', async () => {
  const { socket } = await listening(hangUp)
  await expect(askStatus(socket)).rejects.toMatchObject({ code: 'WATCH_SILENT' })
})

test('one that refuses is not asked again', async () => {
  let count = 0
  const { socket } = await listening((_, response) => {
    count++
    response
      .writeHead(404)
      .end(JSON.stringify({ code: 'NO_SUCH_SPEC', message: 'no spec named x is watched' }))
  })
  await expect(askResume(socket, 'x')).rejects.toMatchObject({ code: 'NO_SUCH_SPEC' })
  expect(count).toBe(1)
})
