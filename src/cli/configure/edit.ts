import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../config/document.ts'
import { readConfigText, replaceConfigText } from '../../config/store.ts'
import { KubesyncError } from '../../errors.ts'
import { confirm } from '../ask.ts'
import type { ConfigureOptions } from '../configure.ts'
import type { Cli } from '../io.ts'
import { pathsOf } from '../paths.ts'
import { describeError } from '../report.ts'

/** Opens a copy of the file in the person's editor; it takes the file's place once it can be read. */
export async function editConfig(cli: Cli, options: ConfigureOptions): Promise<void> {
  const { env, ask, stderr } = cli.io
  const editor = env.VISUAL || env.EDITOR || 'vi'
  const { config } = pathsOf(cli, options)
  const before = await readConfigText(config)
  const folder = await mkdtemp(join(tmpdir(), 'kubesync-edit-'))
  const copy = join(folder, 'config.yaml')
  try {
    await writeFile(copy, before === '' ? 'version: 1\n' : before, { mode: 0o600 })
    for (;;) {
      await runEditor(editor, copy, env)
      const after = await readFile(copy, 'utf8')
      const wrong = problemOf(after, config)
      if (wrong === undefined) {
        await replaceConfigText(config, { before, after })
        return
      }
      stderr.write(describeError(wrong, { verbose: false, stderr }))
      if (ask === undefined || !(await confirm(ask, 'Edit it again?'))) {
        throw new KubesyncError('CONFIG_BROKEN', 'the configuration was left as it was')
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function problemOf(text: string, path: string): unknown {
  try {
    parseConfig(text, path)
    return undefined
  } catch (error) {
    return error
  }
}

/** As git has it, the words of the variable are a shell's. */
async function runEditor(editor: string, file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit', env })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code === 0) return
  throw new KubesyncError('EDITOR_FAILED', `the editor \`${editor}\` ended with ${code ?? 'a signal'}`, {
    hint: '$VISUAL or $EDITOR names another; nothing was changed',
  })
}
