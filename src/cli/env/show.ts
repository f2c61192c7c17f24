import { formatTable } from '../../ui/table.ts'
import type { EnvOptions } from '../env.ts'
import type { Cli } from '../io.ts'
import { printData } from '../output.ts'
import { pathsOf } from '../paths.ts'
import { findFolder, findWhere, settingsOf } from '../where.ts'

/** Prints what holds in this folder, and who says so. */
export async function showEnv(cli: Cli, options: EnvOptions): Promise<void> {
  const { isProtected } = await import('../manifests/guard.ts')
  const settings = await settingsOf(cli, options)
  const { root, pin, isPinned, isElsewhere } = await findFolder(cli, settings)
  const { context, said } = await findWhere(cli, options, pin)
  const guarded = isProtected(context.name, settings)
  const rows = [
    { what: 'context', value: context.name, from: said.context },
    { what: 'namespace', value: context.namespace, from: said.namespace },
    { what: 'server', value: context.server, from: 'kubeconfig' },
    { what: 'kubeconfig', value: said.kubeconfig, from: said.kubeconfigFrom },
    { what: 'protected', value: guarded ? 'yes: writes ask for its name' : 'no', from: 'protectedContexts' },
    { what: 'manifests', value: root, from: isPinned ? 'its pin' : isElsewhere ? 'root' : 'this folder' },
    { what: 'configuration', value: pathsOf(cli, options).config, from: '' },
  ]
  await printData(
    cli,
    { format: options.output, data: rows, names: [`${context.name}/${context.namespace}`] },
    () =>
      formatTable(
        ['what', 'is', 'says'],
        rows.map(({ what, value, from }) => [what, value, from]),
      ),
  )
}
