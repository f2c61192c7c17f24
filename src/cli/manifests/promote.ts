import { type Command, Option } from 'commander'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { configOptions, kubeconfigOptions } from '../options.ts'
import { usageError } from '../values.ts'
import { writeOptions } from './common.ts'
import { rolloutOptions } from './deploy.ts'
import { placeCalled } from './promote/place.ts'
import type { PromoteOptions } from './promote/settle.ts'

export function promoteCommand(cli: Cli): Command {
  const words = {
    usage: 'promote [what...]',
    summary: 'Brings what runs in one place to another, and leaves what belongs to each.',
    details:
      'A place is CONTEXT, CONTEXT/NAMESPACE, or a folder of manifests; both are of one sort. WHAT is a type, a name, or a file of the target; without it, all of them. What is portable is preselected: images, commands, resources, probes, plain environment variables. Without a terminal it writes nothing, unless --force or --all-portable is given.',
    examples: [
      'promote --from staging --to prod',
      'promote deploy/web --from dev/shop-test --to dev/shop --digests',
      'promote --from overlays/staging --to overlays/prod',
    ],
  }
  const where = [...kubeconfigOptions(), ...configOptions()]
  const options = [...promoteOptions(), ...rolloutOptions(), ...writeOptions(), ...where]
  return newCommand(cli, words, options).action((what: string[], options: PromoteOptions) =>
    promote(cli, what, options.allPortable === true ? { ...options, force: true } : options),
  )
}

function promoteOptions(): Option[] {
  return [
    new Option('--from <place>', 'where to take it from').makeOptionMandatory(),
    new Option('--to <place>', 'where to bring it').makeOptionMandatory(),
    new Option('--all-portable', 'do not ask: take what is portable, whatever was picked before'),
    new Option('--digests', "take images by the digests that the source's pods report, not by their tags"),
    new Option('--cluster-only', 'leave files as they are'),
  ]
}

async function promote(cli: Cli, what: readonly string[], options: PromoteOptions): Promise<void> {
  const from = await placeCalled(cli, options.from, options)
  const to = await placeCalled(cli, options.to, options)
  if ('folder' in from && 'folder' in to) {
    if (options.digests === true || options.clusterOnly === true)
      throw usageError('--digests and --cluster-only take clusters, and these are folders')
    const { betweenFolders } = await import('./promote/folders.ts')
    await betweenFolders(cli, { what, from, to }, options)
  } else if ('context' in from && 'context' in to) {
    const { betweenClusters } = await import('./promote/clusters.ts')
    await betweenClusters(cli, { what, from, to }, options)
  } else {
    throw usageError(
      'one place is a folder and the other is not',
      'a folder that is called like a context is ./NAME',
    )
  }
}
