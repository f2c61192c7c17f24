import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { framed, loader } from './loader.ts'

async function load(input: Buffer): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['-e', loader, 'role'], { stdio: 'pipe' })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exited, stdout, stderr }
}

const program = Buffer.from(`
  process.stdout.write(process.argv.slice(1).join() + ' é ')
  process.stdin.pipe(process.stdout)
`)

test('it runs the code that comes in and leaves what follows to it', async () => {
  const run = await load(Buffer.concat([framed(program), Buffer.from('the rest')]))
  expect(run).toEqual({ code: 0, stdout: 'role é the rest', stderr: '' })
})

test('damaged code is not run', async () => {
  const input = framed(program)
  input.write('X', input.length - 5)
  expect(await load(input)).toMatchObject({
    code: 73,
    stdout: '',
    stderr: expect.stringContaining('damaged'),
  })
})

test('a stream that ends early is not run', async () => {
  expect(await load(framed(program).subarray(0, 100))).toMatchObject({ code: 71, stdout: '' })
})

test('something else than an agent is refused', async () => {
  expect(await load(Buffer.alloc(200, 'x'))).toMatchObject({
    code: 72,
    stderr: expect.stringContaining('no agent'),
  })
})
