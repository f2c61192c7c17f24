import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Session } from '../../manifests/session.ts'
import type { Folder } from '../../manifests/survey/folder.ts'
import { connect } from '../connect.ts'
import type { Cli } from '../io.ts'
import { type ConfigOptions, configOptions, type KubeOptions, kubeOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'

/** What all commands for manifests take. */
export interface ManifestOptions extends KubeOptions, ConfigOptions {
  readonly force?: true
}

export function manifestOptions(): Option[] {
  return [...kubeOptions(), ...configOptions()]
}

export function forceOption(): Option {
  return new Option('-f, --force', 'do not ask')
}

/** Opens the folder and the cluster that the command line means, and closes them again. */
export async function inSession<T>(
  cli: Cli,
  options: ManifestOptions,
  use: (session: Session, folder: Folder) => Promise<T>,
): Promise<T> {
  const { openSession } = await import('../../manifests/session.ts')
  const { surveyFolder } = await import('../../manifests/survey/folder.ts')
  const client = await connect(cli, options)
  try {
    const root = resolve(cli.io.cwd)
    const session = await openSession({ client, root, state: pathsOf(cli, options).state })
    const folder = await surveyFolder(client, root)
    return await use(session, folder).finally(() => session.close())
  } finally {
    client.close()
  }
}
