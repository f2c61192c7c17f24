import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joinStreams } from './join.ts'
import { Mux } from './mux.ts'
import { bytesOf, failure } from './mux-testing.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'kubesync-stdio-'))
const library = join(directory, 'wire.mjs')

/** A program for a child process, in which `stdio` is its stdioDuplex. */
const program = (code: string) => [
  '--input-type=module',
  '-e',
  `import { Mux, stdioDuplex } from ${JSON.stringify(library)}\nconst stdio = stdioDuplex()\n${code}`,
]
const echo = program(`
  const mux = new Mux(stdio, { role: 'server' })
  mux.onChannel((channel) => channel.pipe(channel))
`)

/** Runs it with a socket pair for each of its stdio, as Node does for `pipe`. */
function start(args: string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs it between two real pipes, as a container runtime and a shell do. */
function startInPipes(args: string[]): ChildProcess {
  const shell = 'cat | "$@" | cat'
  return spawn('sh', ['-c', shell, 'sh', process.execPath, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
}

function streamOf({ stdout, stdin }: ChildProcess) {
  if (stdout === null || stdin === null) throw new Error('no pipes')
  return joinStreams({ input: stdout, output: stdin })
}

async function complaint(child: ChildProcess): Promise<string> {
  return child.stderr === null ? '' : (await bytesOf(child.stderr)).toString()
}

beforeAll(async () => {
  const virtual = `${here}stdio-test-entry.ts`
  const bundle = await rolldown({
    input: virtual,
    platform: 'node',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === virtual ? id : null),
        load: (id) =>
          id === virtual ? "export { Mux } from './mux.ts'\nexport { stdioDuplex } from './stdio.ts'" : null,
      },
    ],
  })
  await bundle.write({ file: library, format: 'esm' })
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('stdio as one stream', () => {
  test.each([
    ['socket pairs', start],
    ['pipes', startInPipes],
  ])('carries a mux over %s, and both processes end in good order', async (_, run) => {
    const child = run(echo)
    const mux = new Mux(streamOf(child), { role: 'client' })
    const channel = mux.open(Buffer.from('echo'))
    const bytes = Buffer.alloc(3_000_000, 'something')
    channel.end(bytes)
    expect((await bytesOf(channel)).equals(bytes)).toBe(true)
    await Promise.all([mux.close(), once(child, 'exit')])
    expect((await mux.closed).kind).toBe('closed')
    expect(child.exitCode).toBe(0)
  })

  test.each([
    ['socket pairs', start],
    ['pipes', startInPipes],
  ])('does not block its process when nobody reads from %s', async (_, run) => {
    const child = run(
      program(`
        stdio.write(Buffer.alloc(10_000_000))
        setTimeout(() => process.stderr.write('still alive'), 10)
      `),
    )
    const [said] = await once(child.stderr ?? child, 'data')
    expect(String(said)).toBe('still alive')
    const stream = streamOf(child)
    let received = 0
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received === 10_000_000) stream.end()
    })
    await once(child, 'exit')
    expect(received).toBe(10_000_000)
  })

  test('a process that is killed is a connection that is lost', async () => {
    const child = start(echo)
    const mux = new Mux(streamOf(child), { role: 'client' })
    const channel = mux.open(Buffer.from('echo'))
    channel.write('x')
    await once(channel, 'data')
    const failed = failure(channel)
    child.kill('SIGKILL')
    expect((await failed).message).toMatch(/^the connection/)
    expect((await mux.closed).kind).toBe('lost')
  })

  test('what a process said before it left can be read when it is gone', async () => {
    const child = start(program('stdio.end(Buffer.alloc(50_000), () => process.exit())'))
    const stream = streamOf(child)
    await once(child, 'exit')
    expect((await bytesOf(stream)).length).toBe(50_000)
  })

  test.each(['/dev/null', library])('refuses %s as its stdin with a sentence', async (path) => {
    const child = spawn(process.execPath, echo, { stdio: [openSync(path, 'r'), 'pipe', 'pipe'] })
    expect(await complaint(child)).toContain('standard input is neither a pipe nor a socket')
  })

  test('refuses a file as its stdout with a sentence', async () => {
    const child = spawn(process.execPath, echo, {
      stdio: ['pipe', openSync(join(directory, 'out'), 'w'), 'pipe'],
    })
    expect(await complaint(child)).toContain('standard output is neither a pipe nor a socket')
  })
})
