import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout } from './support/manifests.ts'

const { namespace } = useLab('external')
const laptop = useLaptop()

const text = (a: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: it}
data: {a: "${a}", b: "same"}
---
apiVersion: v1
kind: Secret
metadata: {name: it}
stringData: {password: "hunter-${a}", user: "jane"}
`

test('a program of KUBECTL_EXTERNAL_DIFF compares a file an object, and its exit code counts', async () => {
  const temporary = laptop.folder('temporary')
  laptop.env.TMPDIR = temporary
  const here = new Checkout(laptop, { name: 'here', namespace })
  here.write('it.yaml', text('1'))
  await here.did('push', '-f')
  laptop.env.KUBECTL_EXTERNAL_DIFF = 'diff -ruN'
  expect(await here.ksync('diff')).toMatchObject({ code: 0, stdout: '' })

  here.write('it.yaml', `${text('2')}---\n${text('1').split('---')[0]?.replace('it', 'new')}`)
  const { code, stdout, stderr } = await here.ksync('diff')
  expect(code).toBe(1)
  expect(stdout).toMatch(/--- \S+LIVE-\S+ConfigMap\.\S+\.it\b[\s\S]*\+\+\+ \S+MERGED-/)
  expect(stdout).toMatch(/- {2}a: "1"\n\+ {2}a: "2"\n {3}b: same/)
  expect(stdout).toContain('+  name: new')
  expect(stdout).toMatch(
    /- {2}password: "?\*\*\* \(before\)"?\n\+ {2}password: "?\*\*\* \(after\)"?\n +user: "?\*\*\*"?\n/,
  )
  expect(stdout + stderr).not.toMatch(/hunter|jane|aHVudGVy/)
  expect(stderr).toContain('2 changed, 1 only in files')

  here.write('fails', '#!/bin/sh\nexit 3\n')
  chmodSync(join(here.folder, 'fails'), 0o755)
  laptop.env.KUBECTL_EXTERNAL_DIFF = join(here.folder, 'fails')
  expect(await here.ksync('diff')).toMatchObject({ code: 3, stdout: '' })
  laptop.env.KUBECTL_EXTERNAL_DIFF = 'no-such-program'
  const failed = await here.ksync('diff')
  expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining('KUBECTL_EXTERNAL_DIFF')])
  expect(readdirSync(temporary)).toEqual([])
})
