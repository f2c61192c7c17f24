import { beforeAll, describe, expect } from 'vitest'
import { podSpec, runPod, shell, untilAsked } from './support/pods.ts'
import { type ExecOptions, exec, exitCode, protocol, refusedUpgrade } from './support/stream.ts'
import { client, has, needing, useNamespace } from './support/suite.ts'

const space = useNamespace()
const path = () => `${space.path('pods')}/two`
const run = (command: string[], more: Partial<ExecOptions> = {}) =>
  exec(client, { path: path(), container: 'main', command, ...more })
const sh = (script: string, more: Partial<ExecOptions> = {}) => run(['sh', '-c', script], more)
const megabytes = 8 * 1024 * 1024

beforeAll(async () => {
  if (!has('nodes')) return
  const containers = [shell(`echo made > mine; ${untilAsked}`), shell(untilAsked, { name: 'other' })]
  await runPod({ space, name: 'two', spec: podSpec(containers) })
})

describe.concurrent('exec', () => {
  const runs = needing('nodes')
  const runsV5 = needing('nodes', 'exec v5')

  runs('tells stdout and stderr apart, and success', async () => {
    const command = await sh('echo out; echo err >&2')
    const status = await command.ended
    expect(command.protocol).toBe(protocol)
    expect(command.stdout.toString()).toBe('out\n')
    expect(command.stderr.toString()).toBe('err\n')
    expect(status).toEqual({ metadata: {}, status: 'Success' })
  })

  runs('tells the exit code', async () => {
    const status = await (await sh('exit 3')).ended
    expect(status).toEqual({
      metadata: {},
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: expect.stringMatching(/^command terminated with non-zero exit code/),
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    })
    expect(exitCode(status)).toBe(3)
  })

  runs('of a program that is not there fails', async () => {
    expect((await (await run(['./nothing'])).ended).status).toBe('Failure')
  })

  runs('takes its arguments as they are', async () => {
    const command = await run(['printf', '%s|', 'a b', '$HOME', 'ü', ''])
    await command.ended
    expect(command.stdout.toString()).toBe('a b|$HOME|ü||')
  })

  runs('is in the container’s directory, which is the container’s own', async () => {
    const here = await sh('cat mine')
    await here.ended
    expect(here.stdout.toString()).toBe('made\n')
    const other = await sh('test ! -e mine', { container: 'other' })
    expect(exitCode(await other.ended)).toBe(0)
  })

  runs('is given what is written to it, when it is written', async () => {
    const command = await sh('read a; echo "got $a"; read b; echo "and $b"', { stdin: true })
    command.write('one\n')
    await command.says('got one\n')
    command.write('two\n')
    expect(exitCode(await command.ended)).toBe(0)
    expect(command.stdout.toString()).toBe('got one\nand two\n')
  })

  runsV5('hears the end of stdin and may speak after it', async () => {
    const command = await sh('wc -c; echo after', { stdin: true })
    command.write('12345')
    command.end()
    expect(exitCode(await command.ended)).toBe(0)
    expect(command.stdout.toString().trim().split(/\s+/)).toEqual(['5', 'after'])
  })

  runs('carries much in one direction', async () => {
    const command = await sh(`head -c ${megabytes} /dev/zero`)
    expect(exitCode(await command.ended)).toBe(0)
    expect(command.stdout.length).toBe(megabytes)
  })

  runs('carries much in the other', async () => {
    const command = await sh(`head -c ${megabytes} | wc -c`, { stdin: true })
    const piece = Buffer.alloc(32 * 1024, 'x')
    for (let sent = 0; sent < megabytes; sent += piece.length) command.write(piece)
    expect(exitCode(await command.ended)).toBe(0)
    expect(command.stdout.toString().trim()).toBe(String(megabytes))
  })

  runsV5('carries much in both at once, byte for byte', async () => {
    const command = await run(['cat'], { stdin: true })
    const sent = Buffer.alloc(megabytes)
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(i, i)
    for (let i = 0; i < sent.length; i += 32 * 1024) command.write(sent.subarray(i, i + 32 * 1024))
    command.end()
    expect(exitCode(await command.ended)).toBe(0)
    expect(command.stdout.equals(sent)).toBe(true)
  })

  runs('in a pod or container that is none is refused before it begins', async () => {
    expect(await refusedUpgrade(client, `${space.path('pods')}/nobody/exec?command=true&stdout=true`)).toBe(
      404,
    )
    expect(await refusedUpgrade(client, `${path()}/exec?command=true&stdout=true&container=nobody`)).toBe(400)
  })
})
