import { delimiter, resolve } from 'node:path'
import { workInBackground } from '../daemon/background.ts'
import type { Taker } from '../daemon/client.ts'
import type { Work } from '../daemon/join.ts'
import { printable } from '../ui/text.ts'
import type { Cli } from './io.ts'
import type { ConfigOptions, KubeconfigOptions } from './options.ts'
import { pathsOf } from './paths.ts'

/** Leaves work to a process that outlives this one, with the same configuration: that which runs, or a new one. */
export async function startInBackground(cli: Cli, options: ConfigOptions, work: Work): Promise<Taker> {
  return workInBackground(backgroundOf(cli, options), work)
}

/** How a process in the background is started. It has nothing to do until it is asked. */
export function backgroundOf(cli: Cli, options: ConfigOptions) {
  const paths = pathsOf(cli, options)
  const args = ['watch', '--serve', '--config', paths.config, ...(cli.verbose ? ['-v'] : [])]
  return { paths, args, env: cli.io.env }
}

/** The kubeconfig that is meant, as `KUBECONFIG` has it, but for paths that are absolute; empty where kubectl looks without it. */
export async function kubeconfigOf(cli: Cli, options: KubeconfigOptions & ConfigOptions): Promise<string> {
  const { kubeEnv } = await import('../config/settings.ts')
  const { settingsOf } = await import('./where.ts')
  const said = options.kubeconfig ?? kubeEnv(await settingsOf(cli, options)).KUBECONFIG ?? ''
  const paths = options.kubeconfig === undefined ? said.split(delimiter) : [said]
  return paths.flatMap((path) => (path === '' ? [] : [resolve(cli.io.cwd, path)])).join(delimiter)
}

/** `process 12 does it in the background; its log is /…/watch.log`. */
export function takerWords({ pid, log }: Taker, does: string): string {
  if (log === undefined) return `process ${pid} ${does}, beside what it does at a terminal`
  return `process ${pid} ${does} in the background; its log is ${printable(log)}`
}
