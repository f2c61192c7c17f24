import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentImage, agentNamespace, kubectlJson, Lab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { until } from './support/until.ts'

describe('a container that tries to make the agent write elsewhere', () => {
  const lab = new Lab('escape')
  const laptop = new Laptop()
  let pod: string
  let folder: string

  beforeAll(async () => {
    await lab.create()
    await Promise.all([
      laptop.did('init', '--image', agentImage, '--namespace', agentNamespace),
      lab.deploy('plain'),
    ])
    pod = (await lab.pods('plain'))[0] ?? ''
    folder = laptop.folder('folder')
  })

  afterAll(async () => {
    await lab.remove()
    laptop.remove()
  })

  const once = (local: string, remote: string) =>
    laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, local, remote)

  test('the remote folder is an absolute link: it is followed inside the container', async () => {
    const local = laptop.folder('absolute')
    writeFileSync(join(local, 'file'), 'x')
    await lab.sh(pod, 'mkdir -p /real && ln -s /real /absolute')
    expect((await once(local, '/absolute')).code).toBe(0)
    expect(await lab.sh(pod, 'cat /real/file')).toBe('x')
  })

  test('the remote folder leads to the node’s root by /proc/1/root: it ends in the container', async () => {
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
    await lab.sh(
      pod,
      'mkdir -p /links && ln -s /etc /links/etc && ln -s ../../.. /links/up && ln -s /proc/1/root /links/root',
    )
    mkdirSync(join(local, 'etc'))
    writeFileSync(join(local, 'etc/hostname'), 'overwritten')
    await once(local, '/links')
    expect(await lab.sh(pod, 'cat /etc/hostname')).not.toContain('overwritten')
    expect(await lab.sh(pod, 'readlink /links/etc')).toBe('/etc\n')
    expect(existsSync(join(local, 'root'))).toBe(false)
  })

  test('directories swapped for links in a loop while files arrive: no byte lands outside', async () => {
    const victim = `/tmp/kubesync-victim-${Date.now()}`
    await lab.sh(pod, `mkdir -p /swap ${victim} && echo untouched > ${victim}/file-0`)
    await lab.sh(
      pod,
      `cd /swap && (end=$(($(date +%s) + 20)); while [ $(date +%s) -lt $end ]; do
        for d in 0 1 2 3; do rm -rf d$d; ln -s ${victim} d$d; ln -sfn /proc/1/root${victim} r$d; rm -f d$d; mkdir -p d$d; done
      done; touch /swap-ended) >/dev/null 2>&1 &`,
    )
    for (let index = 0; index < 400; index++) {
      const directory = join(folder, `d${index % 4}`)
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, `file-${index}`), 'from the laptop')
    }
    for (let round = 0; round < 5; round++) await once(folder, '/swap')
    await until('the loop ended', () => lab.sh(pod, 'ls /swap-ended || true'), {
      holds: (out) => out.includes('swap-ended'),
    })
    expect(await lab.sh(pod, `ls ${victim} && cat ${victim}/file-0`)).toBe('file-0\nuntouched\n')
    expect(existsSync(victim)).toBe(false)
    rmSync(folder, { recursive: true })
  })

  test('the agent is not privileged, and mounts nothing of the node', async () => {
    const set = JSON.stringify(await kubectlJson(['-n', agentNamespace, 'get', 'daemonset']))
    expect(set).not.toContain('hostPath')
    expect(set).not.toContain('"privileged":true')
    const { spec } = JSON.parse(set).items[0].spec.template
    expect(spec.containers[0].securityContext.capabilities).toEqual({
      drop: ['ALL'],
      add: ['SYS_PTRACE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'KILL'],
    })
  })

  test('a link that the laptop made towards the outside of the folder stays here', async () => {
    const local = laptop.folder('own-links')
    const { symlinkSync } = await import('node:fs')
    symlinkSync('/etc/passwd', join(local, 'absolute'))
    symlinkSync('../../secret', join(local, 'up'))
    symlinkSync('inside', join(local, 'good'))
    writeFileSync(join(local, 'inside'), 'x')
    await once(local, '/own-links')
    expect(await lab.sh(pod, 'ls /own-links')).toBe('good\ninside\n')
    expect(readFileSync(join(local, 'good'), 'utf8')).toBe('x')
  })
})
