import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { agentNamespace } from './support/agent.ts'
import { cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { testWith } from './support/place.ts'

describe('a container that tries to make the agent write elsewhere', () => {
  const lab = useLab('escape')
  const laptop = useLaptop()
  const pod = 'plain'

  beforeAll(async () => {
    laptop.hasRunInit()
    await lab.deploy(pod)
  })

  const once = (local: string, remote: string, ...flags: string[]) =>
    laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, ...flags, local, remote)

  test('the remote folder is an absolute link: it is followed inside the container', async () => {
    const local = laptop.folder('absolute')
    writeFileSync(join(local, 'file'), 'x')
    await lab.sh(pod, 'mkdir -p real && ln -s /real absolute')
    expect((await once(local, '/absolute')).code).toBe(0)
    expect(await lab.sh(pod, 'cat real/file')).toBe('x')
  })

  testWith('isolation')('a remote folder that leads to the node’s root ends in the container', async () => {
    const local = laptop.folder('proc')
    const marker = `kubesync-escaped-${Date.now()}`
    writeFileSync(join(local, marker), 'x')
    await lab.sh(pod, `ln -s /proc/1/root/tmp /node && ln -s ../../../../../../tmp /up`)
    await once(local, '/node')
    await once(local, '/up')
    await once(local, '/proc/1/root/tmp')
    await once(local, '/../../../../tmp')
    expect(existsSync(join('/tmp', marker))).toBe(false)
    expect(await lab.sh(pod, `ls /tmp/${marker}`)).toContain(marker)
  })

  test('links inside the folder that lead out are not followed, and are told', async () => {
    const local = laptop.folder('links')
    const marker = `kubesync-escaped-${Date.now()}`
    await lab.sh(
      pod,
      'mkdir -p links && ln -s /tmp links/tmp && ln -s ../../.. links/up && ln -s /proc/1/root links/root',
    )
    mkdirSync(join(local, 'tmp'))
    writeFileSync(join(local, 'tmp', marker), '')
    const { code, stderr } = await once(local, '/links')
    expect(code).toBe(1)
    for (const name of ['tmp', 'up', 'root']) expect(stderr).toContain(name)
    expect(existsSync(join('/tmp', marker))).toBe(false)
    await expect(lab.sh(pod, `ls /tmp/${marker}`)).rejects.toThrow(/No such file/)
    expect(await lab.sh(pod, 'readlink links/tmp')).toBe('/tmp\n')
    expect(existsSync(join(local, 'root'))).toBe(false)
  })

  test('directories swapped for links in a loop while files arrive: no byte lands outside', async () => {
    const folder = laptop.folder('folder')
    await lab.sh(
      pod,
      'mkdir swap victim && echo untouched > victim/file-0 && touch -d @1000000000 victim/file-0',
    )
    const state = () => lab.sh(pod, 'stat -c "%n %a %u:%g %Y" victim victim/file-0')
    const before = await state()
    const node = '/proc/1/root$PWD/victim'
    await lab.sh(
      pod,
      `(while [ ! -e enough ]; do for d in 0 1 2 3; do
          rm -rf swap/d$d; ln -s ../victim swap/d$d; ln -sfn "${node}" swap/r$d; rm -f swap/d$d; mkdir -p swap/d$d
        done; done; touch ended) >/dev/null 2>&1 &`,
    )
    for (let index = 0; index < 400; index++) {
      const directory = join(folder, `d${index % 4}`)
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, `file-${index}`), 'from the laptop')
    }
    try {
      const flags = ['--owner', '1234:1234', '--file-mode', '611', '--dir-mode', '711']
      for (let round = 0; round < 5; round++) await once(folder, '/swap', ...flags)
    } finally {
      await lab.sh(pod, 'touch enough')
    }
    expect(await lab.sh(pod, 'ls victim && cat victim/file-0')).toBe('file-0\nuntouched\n')
    expect(await state()).toBe(before)
    expect(existsSync('/victim')).toBe(false)
  })

  test('the agent is not privileged, and mounts nothing of the node', async () => {
    const { items } = await cluster.apps.listNamespacedDaemonSet({ namespace: agentNamespace })
    const spec = items[0]?.spec?.template.spec
    expect((spec?.volumes ?? []).filter(({ emptyDir }) => emptyDir === undefined)).toEqual([])
    const [container, ...others] = spec?.containers ?? []
    expect(others).toEqual([])
    expect(container?.securityContext?.privileged).toBe(false)
    expect(container?.securityContext?.capabilities).toEqual({
      drop: ['ALL'],
      add: ['SYS_PTRACE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'KILL'],
    })
  })

  test('a link that the laptop made towards the outside of the folder stays here', async () => {
    const local = laptop.folder('own-links')
    symlinkSync('/etc/passwd', join(local, 'absolute'))
    symlinkSync('../../secret', join(local, 'up'))
    symlinkSync('inside', join(local, 'good'))
    writeFileSync(join(local, 'inside'), 'x')
    await once(local, '/own-links')
    expect(await lab.sh(pod, 'ls own-links')).toBe('good\ninside\n')
    expect(readFileSync(join(local, 'good'), 'utf8')).toBe('x')
  })
})
