import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { Laptop } from './support/ksync.ts'
import { until } from './support/until.ts'

/** The demo brings its own sandbox, so it is the same wherever these tests run. */
describe('kubesync demo', () => {
  const laptop = new Laptop('')
  laptop.env.TMPDIR = laptop.home
  afterAll(() => laptop.remove())

  test('goes through to the end without a key or a cluster, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await laptop.ksync('demo', '--yes')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('<h1>Hello from an edit</h1>')
    expect(stdout).toMatch(/hello\/notes\.txt says here: written in the container/)
    expect(stdout).toContain('hello/ still has everything: index.html, style.css, notes.txt')
    expect(stdout).toContain('replicas: 2 # one is enough for a demo')
    expect(stdout).toMatch(/ksync deploy .*\n[^$]*GREETING\n.*value: hello\n.*rolled out/)
    expect(stdout).toMatch(/ksync promote .*\n[^$]*~ {3}replicas: [^$]*bound[^$]*GREETING[^$]*portable/)
    expect(stdout).toContain('hello.yaml and the cluster are as they were before it.')
    expectNothingLeft()
  })

  test('interrupted in the middle it leaves nothing behind either', async () => {
    const demo = laptop.start('demo', '--yes')
    await until('the folders are in sync', () => demo.stdout, {
      holds: (said) => said.includes('In sync after'),
    })
    const { code } = await demo.kill('SIGINT')
    expect(code).toBe(130)
    expectNothingLeft()
  })

  test('without a terminal nobody can press a key: it says so and begins nothing', async () => {
    const { code, stderr } = await laptop.ksync('demo')
    expect(code).toBe(1)
    expect(stderr).toMatch(/--yes/)
    expectNothingLeft()
  })

  function expectNothingLeft(): void {
    expect(readdirSync(laptop.home).filter((name) => name.startsWith('kubesync-demo-'))).toEqual([])
    expect(processesOf(laptop.home)).toEqual([])
  }
})

/** Command lines of the processes whose surroundings name a folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, 'environ').includes(folder))
    .map((pid) => read(pid, 'cmdline'))
}

function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
