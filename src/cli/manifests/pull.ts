import { extname, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { Option } from 'commander'
import { type Keeper, keepers } from '../../manifests/live/keepers.ts'
import type { Plan, PlanProblem } from '../../manifests/plan/plan.ts'
import type { Session } from '../../manifests/session.ts'
import type { Folder } from '../../manifests/survey/folder.ts'
import type { Gathered } from '../../manifests/survey/pull.ts'
import { createProgress } from '../../ui/progress.ts'
import { count, printable } from '../../ui/text.ts'
import { confirm } from '../ask.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { parseSelector, usageError } from '../values.ts'
import { atDesk, manifestOptions, type WriteOptions, writeOptions } from './common.ts'
import { openGit } from './git.ts'
import { wholeOf } from './git-files.ts'

interface PullOptions extends WriteOptions {
  readonly output?: string
  readonly selector?: string
  readonly allNamespaces?: true
  readonly all?: true
  readonly include?: readonly Keeper[]
  readonly sort?: true
}

export function pullCommand(cli: Cli): Command {
  const words = {
    usage: 'pull [type] [names...]',
    summary: 'Writes resources of the cluster to files, after it has shown what differs.',
    details:
      'Without a type, all that people keep in files. What is in a file below this folder is updated there. Without a terminal it writes nothing, unless --force is given.',
    examples: [
      'pull',
      'pull deployment web',
      'pull deploy/web -o web',
      'pull services -l app=web',
      'pull --all',
      'pull deploy web --sort',
    ],
  }
  return newCommand(cli, words, [...pullOptions(), ...writeOptions(), ...manifestOptions()]).action(
    (type: string | undefined, names: string[], options: PullOptions) => pull(cli, { type, names }, options),
  )
}

function pullOptions(): Option[] {
  return [
    new Option(
      '-o, --output <file>',
      'the file for what is in none yet; .yaml is added where it has no extension',
    ),
    new Option('-l, --selector <labels>', 'only those with these labels').argParser(parseSelector),
    new Option('-A, --all-namespaces', 'from all namespaces'),
    new Option('--all', 'from all namespaces, and what belongs to no namespace'),
    new Option('--include <whose...>', 'also what others look after').choices(keepers),
    new Option(
      '--sort',
      "then put the fields of these objects' files in kubectl's order, comments with them; asked apart",
    ),
  ]
}

interface Asked {
  readonly type: string | undefined
  readonly names: readonly string[]
}

async function pull(cli: Cli, asked: Asked, options: PullOptions): Promise<void> {
  const { output } = options
  await atDesk(cli, { options, words: [] }, async ({ session, read, layout }) => {
    const file =
      output === undefined ? undefined : relative(session.root, resolve(cli.io.cwd, withExtension(output)))
    const { surveyPull } = await import('../../manifests/survey/pull.ts')
    const { settle } = await import('./carry.ts')
    const survey = async () => {
      const folder = await read()
      const gathered = await gather(cli, { session, folder }, { ...splitType(asked), options })
      return surveyPull(session, { folder, gathered }, { file, layout })
    }
    const { prepared } = await settle(cli, { session, survey, options, waits: false, timeoutMs: 60_000 })
    if (options.sort !== true) return
    await sortAfter(cli, { session, folder: await read(), plan: prepared.plan }, options)
  })
}

interface Sorting {
  readonly session: Session
  readonly folder: Folder
  readonly plan: Plan
}

async function sortAfter(cli: Cli, { session, folder, plan }: Sorting, options: PullOptions): Promise<void> {
  const { findUnsorted, sortFiles } = await import('../../manifests/carry/sort.ts')
  const { report } = await import('./carry.ts')
  const { ask, stderr } = cli.io
  const found = findUnsorted(folder, new Set(plan.resources.map(({ id }) => id)))
  const open = found.filter(({ refusal }) => refusal === undefined)
  for (const { change, refusal } of found) {
    const { id, facts } = change
    const said = refusal === undefined ? 'its fields are in another order' : `stays as it is: ${refusal}`
    stderr.write(`${printable(id)}  (${printable(facts.place.file)}) ${printable(said)}\n`)
  }
  if (open.length < found.length) cli.exitCode = 1
  if (open.length === 0) return
  const question = `Put the fields of ${count(open.length, 'document')} in kubectl's order?`
  if (options.force !== true && (ask === undefined || !(await confirm(ask, question)))) {
    cli.exitCode = 1
    return
  }
  const git = await openGit(cli, session, { ...options, adding: ' (in order)' })
  const ids = new Set(open.map(({ change }) => change.id))
  const sorted = plan.resources.flatMap((one) => (ids.has(one.id) ? [{ ...one, differences: [] }] : []))
  const prepared = { plan: { ...plan, resources: sorted }, texts: folder.texts }
  await git?.before({ prepared, selection: wholeOf(prepared.plan) })
  const results = await sortFiles(session, open, folder.texts)
  report(cli, results)
  await git?.after(results, () => false)
  if (results.some(({ reason }) => reason !== '')) cli.exitCode = 1
}

function withExtension(file: string): string {
  return extname(file) === '' ? `${file}.yaml` : file
}

/** `deploy/web` is `deploy web`, as kubectl has it. */
function splitType({ type, names }: Asked): Asked {
  const [before, ...after] = type?.split('/') ?? []
  return { type: before, names: [...after, ...names] }
}

async function gather(
  cli: Cli,
  { session: { client }, folder }: Pick<Sorting, 'session' | 'folder'>,
  { type, names, options }: Asked & { options: PullOptions },
): Promise<Gathered> {
  const { collect, keptTypes } = await import('../../manifests/live/collect.ts')
  const { nameOf } = await import('../../manifests/order/references.ts')
  const isEverywhere = options.allNamespaces === true || options.all === true
  const namespace = isEverywhere ? undefined : client.context.namespace
  const included = new Set(options.include)
  if (names.length > 0) {
    if (isEverywhere || options.selector !== undefined)
      throw usageError('names go with neither -A, --all nor -l')
    return byName(client, { type, names })
  }
  const { types, problems } =
    type === undefined
      ? await keptTypes(client, { included, isNamespaced: options.all !== true })
      : {
          types: await Promise.all(type.split(',').map((one) => client.discovery.resolve(one))),
          problems: [],
        }
  const progress = createProgress(cli.io.stderr)
  const onProgress = (amount: number) => progress.update(`${count(amount, 'object')} read`)
  const labelSelector = options.selector
  // Whoever names a system namespace means it.
  const meant = new Set<Keeper>([...included, ...(isEverywhere ? [] : (['system'] as const))])
  const inFiles = new Set(folder.objects.map(({ identity }) => nameOf(identity)))
  const extent = { types, namespace, labelSelector, included: meant, inFiles, onProgress }
  const found = await collect(client, extent)
  progress.done()
  return { ...found, problems: [...problems, ...found.problems], isNamed: false }
}

async function byName(client: Session['client'], { type = '', names }: Asked): Promise<Gathered> {
  const { asMap } = await import('../../manifests/live/fetch.ts')
  const { ApiError } = await import('../../kube/errors.ts')
  const { apiVersion, plural, namespaced } = await client.discovery.resolve(type)
  const namespace = namespaced ? client.context.namespace : undefined
  const problems: PlanProblem[] = []
  const objects = await Promise.all(
    names.map(async (name) => {
      try {
        return asMap(await client.get({ apiVersion, plural, namespace, name }))
      } catch (error) {
        if (!(error instanceof ApiError) || error.status.code === 401) throw error
        problems.push({ what: `${plural}/${name}`, reason: error.status.message })
        return []
      }
    }),
  )
  return { objects: objects.flat(), leftOut: [], problems, isNamed: true }
}
