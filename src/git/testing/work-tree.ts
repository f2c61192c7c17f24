import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openRepository, type Repository } from '../repository.ts'

/** A folder in which a person works with git, and knows nothing of the user's own configuration. */
export class WorkTree {
  readonly top: string
  readonly env: NodeJS.ProcessEnv

  constructor(top: string = mkdtempSync(join(tmpdir(), 'git-'))) {
    this.top = realpathSync(top)
    const who = { NAME: 'Jo', EMAIL: 'jo@example.com' }
    this.env = {
      ...{ PATH: process.env.PATH, HOME: this.top, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
      ...{ GIT_AUTHOR_NAME: who.NAME, GIT_AUTHOR_EMAIL: who.EMAIL },
      ...{ GIT_COMMITTER_NAME: who.NAME, GIT_COMMITTER_EMAIL: who.EMAIL },
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'protocol.file.allow', GIT_CONFIG_VALUE_0: 'always' },
    }
  }

  /** A repository with one commit that has these files. */
  static with(files: Readonly<Record<string, string>>): WorkTree {
    const tree = new WorkTree()
    tree.git('init', '--quiet', '--initial-branch=main')
    for (const [path, text] of Object.entries(files)) tree.write(path, text)
    tree.git('add', '--all')
    tree.git('commit', '--quiet', '--allow-empty', '--message=first')
    return tree
  }

  /** A bare repository that the branch has as its upstream; its path. */
  publish(): string {
    const bare = `${this.top}.remote`
    execFileSync('git', ['clone', '--quiet', '--bare', this.top, bare], { env: this.env })
    this.git('remote', 'add', 'origin', bare)
    this.git('push', '--quiet', '--set-upstream', 'origin', 'main')
    return bare
  }

  /** What somebody else pushes there. */
  pushedByOthers(bare: string, path: string, text: string): void {
    const other = new WorkTree(`${mkdtempSync(join(tmpdir(), 'git-other-'))}`)
    other.git('clone', '--quiet', bare, '.')
    other.write(path, text)
    other.git('add', '--all')
    other.git('commit', '--quiet', '--message=theirs')
    other.git('push', '--quiet')
    other.remove()
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.top, env: this.env, encoding: 'utf8', stdio: 'pipe' })
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.top, path)), { recursive: true })
    writeFileSync(join(this.top, path), text)
  }

  read(path: string): string {
    return readFileSync(join(this.top, path), 'utf8')
  }

  async repository(): Promise<Repository> {
    const context = { env: this.env, signal: new AbortController().signal }
    return openRepository(this.top, context)
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true })
    rmSync(`${this.top}.remote`, { recursive: true, force: true })
  }
}
