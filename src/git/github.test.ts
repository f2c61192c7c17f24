import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { openPullRequest, repositoryIn } from './github.ts'

test.each([
  ['https://github.com/acme/shop.git', 'github.com', 'acme/shop'],
  ['https://jo:pw@github.com/acme/shop', 'github.com', 'acme/shop'],
  ['git@github.com:acme/shop.git', 'github.com', 'acme/shop'],
  ['ssh://git@ghe.example:2222/acme/shop.js.git/', 'ghe.example', 'acme/shop.js'],
])('%s is a repository', (url, host, name) => {
  expect(repositoryIn(url)).toEqual({ host, name })
})

test.each(['/srv/git/shop.git', '../shop', 'https://github.com/shop', 'file:///srv/acme/shop', ''])(
  '%j is none',
  (url) => expect(repositoryIn(url)).toBeUndefined(),
)

const request = { head: 'kubesync/web', base: 'main', title: 'promote: web', body: 'words' }

/** A stand-in that answers once; what it was asked. */
async function ask(status: number, answer: unknown, headers: Readonly<Record<string, string>> = {}) {
  const asked: { request?: IncomingMessage; body?: unknown } = {}
  const server = createServer(async (incoming, response) => {
    asked.request = incoming
    asked.body = JSON.parse(await text(incoming))
    response.writeHead(status, headers).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const github = { url: `http://127.0.0.1:${port}/api/v3/`, token: 's3cret', repository: 'acme/shop' }
  const opened = openPullRequest(github, request, new AbortController().signal).catch(
    (error: unknown) => error,
  )
  return { opened: await opened.finally(() => server.close()), ...asked }
}

test('a pull request is opened, and its address told', async () => {
  const {
    opened,
    request: asked,
    body,
  } = await ask(201, { html_url: 'https://ghe.example/acme/shop/pull/7' })
  expect(opened).toBe('https://ghe.example/acme/shop/pull/7')
  expect([asked?.method, asked?.url, asked?.headers.authorization]).toEqual([
    ...['POST', '/api/v3/repos/acme/shop/pulls', 'Bearer s3cret'],
  ])
  expect(body).toEqual(request)
})

test.each([
  [
    'is refused',
    422,
    { message: 'Validation Failed', errors: [{ message: 'No commits' }] },
    '422 Validation Failed: No commits',
  ],
  ['is answered with something else', 200, { url: 1 }, 'html_url'],
  ['is sent elsewhere', 302, {}, 'cannot be reached'],
])('that it %s is said, without the token', async (_, status, answer, message) => {
  const { opened } = await ask(status, answer, status === 302 ? { location: 'http://127.0.0.1:1/' } : {})
  expect(opened).toMatchObject({ code: 'GITHUB_FAILED', message: expect.stringContaining(message) })
  expect(JSON.stringify(opened) + String(opened)).not.toContain('s3cret')
})
