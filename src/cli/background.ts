import { resolve } from 'node:path'
import { type Background, startBackground } from '../daemon/background.ts'
import type { Cli } from './io.ts'
import type { ConfigOptions, KubeconfigOptions } from './options.ts'
import { pathsOf } from './paths.ts'

/** Starts a watch that outlives this process, with the same configuration and kubeconfig. */
export async function startInBackground(
  cli: Cli,
  options: ConfigOptions & KubeconfigOptions,
): Promise<Background> {
  const paths = pathsOf(cli, options)
  const { kubeconfig } = options
  const args = ['watch', '--config', paths.config, ...(cli.verbose ? ['-v'] : [])]
  if (kubeconfig !== undefined) args.push('--kubeconfig', resolve(cli.io.cwd, kubeconfig))
  return startBackground({ paths, args, env: cli.io.env })
}
