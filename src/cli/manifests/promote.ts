import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { kubeEnv, setting } from '../../config/settings.ts'
import { listContexts } from '../../kube/config.ts'
import type { Selection } from '../../manifests/plan/plan.ts'
import type { Picks } from '../../manifests/promote/picks.ts'
import type { Session } from '../../manifests/session.ts'
import type { Folder } from '../../manifests/survey/folder.ts'
import { createProgress } from '../../ui/progress.ts'
import { count } from '../../ui/text.ts'
import { newCommand } from '../command.ts'
import { connect } from '../connect.ts'
import type { Cli } from '../io.ts'
import { configOptions, kubeconfigOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'
import { usageError } from '../values.ts'
import { findWhere, settingsOf } from '../where.ts'
import { atDesk, type Desk, type WriteOptions, writeOptions } from './common.ts'

interface PromoteOptions extends WriteOptions {
  readonly from: string
  readonly to: string
  readonly digests?: true
  readonly clusterOnly?: true
  readonly allPortable?: true
}

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
  const options = [...promoteOptions(), ...writeOptions(), ...kubeconfigOptions(), ...configOptions()]
  return newCommand(cli, words, options).action((what: string[], options: PromoteOptions) =>
    promote(cli, what, options),
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

async function promote(cli: Cli, what: readonly string[], given: PromoteOptions): Promise<void> {
  const options = given.allPortable === true ? { ...given, force: true as const } : given
  const [from, to] = await Promise.all([given.from, given.to].map((word) => placeOf(cli, word, given)))
  if (from === undefined || to === undefined) return
  if ('folder' in from && 'folder' in to) {
    throw usageError('between folders: not yet')
  }
  if ('folder' in from || 'folder' in to) throw usageError('one place is a folder and the other is not')
  await betweenClusters(cli, what, { ...options, source: from, target: to })
}

/** A place in a cluster, or a folder. */
type Place =
  | { readonly context: string; readonly namespace: string | undefined }
  | { readonly folder: string }

/** Names of contexts may have slashes in them, and may be names of folders, too: `./prod` is always one. */
async function placeOf(cli: Cli, word: string, options: PromoteOptions): Promise<Place> {
  const { kubeconfig } = options
  const folder = resolve(cli.io.cwd, word)
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder && /^[./]/.test(word)) return { folder }
  const contexts = await listContexts({ kubeconfig, env: kubeEnv(await settingsOf(cli, options)) }).catch(
    (error: unknown) => {
      if (isFolder) return []
      throw error
    },
  )
  const isContext = (name: string) => contexts.some((one) => one.name === name)
  if (isContext(word)) return { context: word, namespace: undefined }
  const [context, namespace] = [word.slice(0, word.lastIndexOf('/')), word.slice(word.lastIndexOf('/') + 1)]
  if (isContext(context)) return { context, namespace }
  if (isFolder) return { folder }
  throw usageError(
    `\`${word}\` is neither a context nor a folder; there are ${contexts.map(({ name }) => name).join(', ')}`,
  )
}

interface Between extends PromoteOptions {
  readonly source: Exclude<Place, { folder: string }>
  readonly target: Exclude<Place, { folder: string }>
}

async function betweenClusters(cli: Cli, what: readonly string[], options: Between): Promise<void> {
  const { kubeconfig, config, clusterOnly, target } = options
  const isClusterOnly = clusterOnly === true
  const client = await connect(cli, { kubeconfig, config, ...options.source })
  try {
    const { openSession } = await import('../../manifests/session.ts')
    // The target's files may be elsewhere than where this is called.
    const cwd = isClusterOnly ? '/' : await targetFolder(cli, options)
    const there = { ...cli, io: { ...cli.io, cwd } }
    const where = {
      ...options,
      context: target.context,
      ...(target.namespace && { namespace: target.namespace }),
    }
    await atDesk(there, { options: where, words: isClusterOnly ? [] : what }, async (desk) => {
      const settings = await settingsOf(cli, options)
      const secrets = setting('journal.secrets', settings)
      const sanitize = setting('sanitize', settings)
      const { state } = pathsOf(cli, options)
      const source = await openSession({ client, root: desk.session.root, state, secrets, sanitize })
      const words = isClusterOnly ? what.map((name) => ({ name })) : desk.words
      await settled(cli, { ...desk, words, source, options }).finally(() => source.close())
    })
  } finally {
    client.close()
  }
}

/** Where the target's files are: in the folder that is pinned there, or in this one. */
async function targetFolder(cli: Cli, { kubeconfig, config, target }: Between): Promise<string> {
  const { folderOf } = await import('../../manifests/folder/pinned.ts')
  const { context } = await findWhere(cli, { kubeconfig, config, ...target })
  const place = { context: context.name, server: context.server, namespace: target.namespace }
  return (await folderOf(place, cli.io.cwd)) ?? cli.io.cwd
}

interface Promotion extends Pick<Desk, 'session' | 'words' | 'read' | 'layout'> {
  readonly source: Session
  readonly options: PromoteOptions
}

async function settled(cli: Cli, { session, source, options, ...desk }: Promotion): Promise<void> {
  const [{ surveyPromotion }, { carryChange }, { openPicks }, { settle }] = await Promise.all([
    import('../../manifests/promote/survey.ts'),
    import('../../manifests/carry/change.ts'),
    import('../../manifests/promote/picks.ts'),
    import('./carry.ts'),
  ])
  const [from, to] = [source, session].map(({ cluster }) => `${cluster.server} ${cluster.namespace}`)
  if (from === to) throw usageError('both places are the same')
  const isClusterOnly = options.clusterOnly === true
  const store = await openPicks(join(pathsOf(cli, options).state, 'manifests'), [from ?? '', to ?? ''])
  const between = [source, session].map(
    ({ cluster: { context, server, namespace } }) =>
      `context ${context}   server ${server}   namespace ${namespace}`,
  )
  const survey = async () => {
    const folder = isClusterOnly ? nothing : await desk.read()
    const progress = createProgress(cli.io.stderr)
    const prepared = await surveyPromotion(
      { source, target: session, folder },
      {
        ...{ words: desk.words, layout: desk.layout, isClusterOnly, hasDigests: options.digests === true },
        picks: options.allPortable === true ? new Map() : store.picks,
        onProgress: (amount) => progress.update(`${count(amount, 'object')} read`),
      },
    ).finally(() => progress.done())
    return { ...prepared, plan: { ...prepared.plan, between: [between[0] ?? '', between[1] ?? ''] as const } }
  }
  await settle(cli, {
    ...{ session, survey, options, waits: false, timeoutMs: 60_000 },
    carry: async (chosen, push) => {
      if (options.force !== true) await store.keep(pickedIn(chosen.selection))
      return carryChange(session, { ...chosen, command: cli.args.join(' ') }, push)
    },
  })
}

const nothing: Folder = { objects: [], remarks: [], texts: new Map() }

/** What was picked field by field; who takes or leaves a whole object says nothing of its fields. */
function pickedIn(selection: Selection): Picks {
  return new Map(
    [...selection].flatMap(([id, choice]): [string, ReadonlyMap<string, boolean>][] => {
      if (typeof choice === 'string') return []
      return [[id, new Map([...choice].map(([field, one]) => [field, one === 'take']))]]
    }),
  )
}
