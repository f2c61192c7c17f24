import { expect, test } from 'vitest'
import { proxyFor } from './proxy.ts'

const server = 'https://api.example.com:6443'

test.each<[string, string, NodeJS.ProcessEnv, string | undefined]>([
  ['none is set', server, {}, undefined],
  ['HTTPS_PROXY, for HTTPS', server, { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128'],
  ['lower case', server, { https_proxy: 'http://proxy:3128' }, 'http://proxy:3128'],
  ['HTTP_PROXY is not for HTTPS', server, { HTTP_PROXY: 'http://proxy:3128' }, undefined],
  ['without a scheme', server, { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
  ['SOCKS', server, { HTTPS_PROXY: 'socks5://proxy' }, 'socks5://proxy'],
  ['never for this machine', 'https://127.0.0.1:6443', { HTTPS_PROXY: 'http://proxy' }, undefined],
  ['never for localhost', 'https://localhost:6443', { HTTPS_PROXY: 'http://proxy' }, undefined],
])('%s', (_what, url, env, expected) => {
  expect(proxyFor(url, env)).toBe(expected)
})

test.each<[string, string, boolean]>([
  ['api.example.com', server, true],
  ['example.com', server, true],
  ['.example.com', server, true],
  ['*.example.com', server, true],
  ['ample.com', server, false],
  ['other, api.example.com', server, true],
  ['api.example.com:6443', server, true],
  ['api.example.com:443', server, false],
  ['*', server, true],
  ['10.0.0.0/8', 'https://10.1.2.3', true],
  ['10.0.0.0/16', 'https://10.1.2.3', false],
  ['0.0.0.0/0', 'https://10.1.2.3', true],
  ['.api.example.com', server, false],
])('NO_PROXY=%s for %s: %s', (rule, url, spared) => {
  const env = { HTTPS_PROXY: 'http://proxy', NO_PROXY: rule }
  expect(proxyFor(url, env) === undefined).toBe(spared)
})
