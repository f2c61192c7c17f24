import { setting } from '../../../config/settings.ts'
import { carryChange, chosenOf } from '../../../manifests/carry/change.ts'
import { folderOf } from '../../../manifests/folder/pinned.ts'
import { surveyPromotion } from '../../../manifests/promote/survey.ts'
import { openSession, type Session } from '../../../manifests/session.ts'
import type { Folder } from '../../../manifests/survey/folder.ts'
import { createProgress } from '../../../ui/progress.ts'
import { count } from '../../../ui/text.ts'
import { connect } from '../../connect.ts'
import type { Cli } from '../../io.ts'
import { pathsOf } from '../../paths.ts'
import { findWhere, settingsOf } from '../../where.ts'
import { atDesk, type Desk } from '../common.ts'
import { follow, podsBefore } from '../rollout.ts'
import type { ClusterPlace } from './place.ts'
import { type PromoteOptions, samePlaces, settleBetween } from './settle.ts'

interface Ends {
  readonly what: readonly string[]
  readonly from: ClusterPlace
  readonly to: ClusterPlace
}

/** Brings objects of one place in a cluster to another, and into the files of that. */
export async function betweenClusters(
  cli: Cli,
  { what, from, to }: Ends,
  options: PromoteOptions,
): Promise<void> {
  const { kubeconfig, config, clusterOnly } = options
  const isClusterOnly = clusterOnly === true
  const client = await connect(cli, { kubeconfig, config, ...from })
  try {
    // The target's files may be elsewhere than where this is called.
    const cwd = isClusterOnly ? '/' : await folderFor(cli, to, options)
    const there = { ...cli, io: { ...cli.io, cwd } }
    const asked = { options: { ...options, ...to }, words: isClusterOnly ? [] : what }
    await atDesk(there, asked, async (desk) => {
      const settings = await settingsOf(cli, options)
      const source = await openSession({
        ...{ client, root: desk.session.root, state: pathsOf(cli, options).state },
        ...{ secrets: setting('journal.secrets', settings), sanitize: setting('sanitize', settings) },
      })
      const words = isClusterOnly ? what.map((name) => ({ name })) : desk.words
      await promoteAt(cli, { ...desk, words, source }, options).finally(() => source.close())
    })
  } finally {
    client.close()
  }
}

/** Where the target's files are: in the folder that is pinned there, or in this one. */
async function folderFor(cli: Cli, to: ClusterPlace, { kubeconfig, config }: PromoteOptions) {
  const { context } = await findWhere(cli, { kubeconfig, config, ...to })
  const place = { context: context.name, server: context.server, namespace: to.namespace }
  return (await folderOf(place, cli.io.cwd)) ?? cli.io.cwd
}

interface Opened extends Desk {
  readonly source: Session
}

async function promoteAt(cli: Cli, desk: Opened, options: PromoteOptions): Promise<void> {
  const { session, source, words, layout } = desk
  const [there, here] = [source.cluster, session.cluster]
  // By whichever names of contexts.
  if (there.server === here.server && there.namespace === here.namespace) throw samePlaces()
  const isClusterOnly = options.clusterOnly === true
  const noFiles: Folder = { objects: [], remarks: [], texts: new Map() }
  let pods: ReadonlySet<string> = new Set()
  const { prepared, selection, results } = await settleBetween(
    cli,
    {
      session,
      places: [named(source), named(session)],
      async survey(picks) {
        const folder = isClusterOnly ? noFiles : await desk.read()
        const progress = createProgress(cli.io.stderr)
        return surveyPromotion({
          ...{ source, target: session, folder, words, layout, picks, isClusterOnly },
          hasDigests: options.digests === true,
          onProgress: (amount) => progress.update(`${count(amount, 'object')} read`),
        }).finally(() => progress.done())
      },
      async carry(chosen, how) {
        const changing = chosenOf(chosen).filter(({ outcome }) => outcome.apply !== undefined)
        const facts = new Map(changing.map((one) => [one.id, one.facts]))
        pods = await podsBefore(session, { ...chosen.prepared, facts })
        return carryChange(session, { ...chosen, command: cli.args.join(' ') }, how)
      },
    },
    options,
  )
  if (!options.wait) return
  const done = new Set(results.flatMap(({ id, what }) => (what === 'changed' ? [id] : [])))
  for (const { id, facts, wishes } of chosenOf({ prepared, selection })) {
    if (!done.has(id)) continue
    const one = { ...prepared, facts: new Map([[id, facts]]), wishes: new Map([[id, wishes]]), pods }
    await follow(cli, { session, prepared: one }, options)
  }
}

function named({ cluster: { context, server, namespace } }: Session): string {
  return `context ${context}   server ${server}   namespace ${namespace}`
}
