import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ApiException, type KubernetesObject, PatchStrategy } from '@kubernetes/client-node'
import { cli } from './agent.ts'
import { cluster } from './cluster.ts'
import type { Laptop } from './ksync.ts'
import { type Finished, Running, run } from './run.ts'
import { Screen } from './screen.ts'

/** A folder of manifests in which a person calls kubesync, for one namespace. */
export class Checkout {
  readonly folder: string
  readonly #laptop: Laptop
  readonly #namespace: string

  constructor(laptop: Laptop, { name, namespace }: { name: string; namespace: string }) {
    this.#laptop = laptop
    this.#namespace = namespace
    this.folder = laptop.folder(name)
  }

  ksync(...args: string[]): Promise<Finished> {
    const { env } = this.#laptop
    return run(process.execPath, [cli, ...args, '-n', this.#namespace], { env, cwd: this.folder })
  }

  /** The same while it runs. */
  start(...args: string[]): Running {
    const { env } = this.#laptop
    return new Running(process.execPath, [cli, ...args, '-n', this.#namespace], { env, cwd: this.folder })
  }

  /** The same in a terminal of its own, where somebody can be asked. */
  atTerminal(...args: string[]): Screen {
    return new Screen(this.#laptop.atTerminal([...args, '-n', this.#namespace], this.folder))
  }

  /** The same where it must end with 0; what it said. */
  async did(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.ksync(...args)
    if (code !== 0) throw new Error(`ksync ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`)
    return stdout + stderr
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8')
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    writeFileSync(join(this.folder, path), text)
  }

  remove(path: string): void {
    rmSync(join(this.folder, path))
  }

  /** Puts another text in the place of one that is there. */
  edit(path: string, before: string, after: string): void {
    const text = this.read(path)
    if (!text.includes(before)) throw new Error(`${path} has no ${before}:\n${text}`)
    this.write(path, text.replace(before, after))
  }

  /** All files, by path. */
  files(): Record<string, string> {
    const paths = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
    return Object.fromEntries(
      paths
        .filter((path) => /\.\w+$/.test(path))
        .sort()
        .map((path) => [path, this.read(path)]),
    )
  }
}

/** Makes an object as a person does with kubectl; false where the server does not have that kind. */
export async function createByHand(object: KubernetesObject, namespace: string): Promise<boolean> {
  const placed = { ...object, metadata: { ...object.metadata, namespace } }
  try {
    await cluster.objects.create(placed, undefined, undefined, 'kubectl-create')
    return true
  } catch (error) {
    const isUnknown = error instanceof ApiException && error.code === 404
    if (isUnknown || (error instanceof Error && /Unrecognized API version/.test(error.message))) return false
    throw error
  }
}

/** Changes an object with a merge patch, as some field manager. */
export async function patch(object: KubernetesObject, manager = 'kubectl-edit'): Promise<void> {
  await cluster.objects.patch(object, undefined, undefined, manager, undefined, PatchStrategy.MergePatch)
}

/** An object as the server has it; undefined if there is none. */
export async function live(kind: string, name: string, namespace: string) {
  const apiVersion = ['Deployment', 'StatefulSet'].includes(kind) ? 'apps/v1' : 'v1'
  try {
    return await cluster.objects.read({ apiVersion, kind, metadata: { name, namespace } })
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}
