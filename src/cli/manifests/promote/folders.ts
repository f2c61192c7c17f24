import { setting } from '../../../config/settings.ts'
import { readSchemas, shapeOf } from '../../../manifests/diff/schema.ts'
import { unknownShape } from '../../../manifests/diff/shape.ts'
import { journalIn, openJournal } from '../../../manifests/journal/journal.ts'
import { carryFolders, surveyFolders } from '../../../manifests/promote/folders.ts'
import { keyIn, openSealer } from '../../../manifests/secrets/seal.ts'
import { readWords } from '../../../manifests/survey/choose.ts'
import { loadCatalog } from '../../../sandbox/catalog.ts'
import type { Cli } from '../../io.ts'
import { pathsOf } from '../../paths.ts'
import { settingsOf } from '../../where.ts'
import type { FolderPlace } from './place.ts'
import { type PromoteOptions, settleBetween } from './settle.ts'

interface Ends {
  readonly what: readonly string[]
  readonly from: FolderPlace
  readonly to: FolderPlace
}

/** Brings the files of one folder up to those of another, without a cluster: kinds are known as Kubernetes has them. */
export async function betweenFolders(
  cli: Cli,
  { what, from, to }: Ends,
  options: PromoteOptions,
): Promise<void> {
  const { state } = pathsOf(cli, options)
  const secrets = setting('journal.secrets', await settingsOf(cli, options))
  const keeping = { secrets, sealer: openSealer(keyIn(state)), command: cli.args.join(' ') }
  const cluster = { context: '', server: '', namespace: '' }
  const journal = openJournal(journalIn(state), keeping)
  const session = { root: to.folder, cluster, journal, written: new Map<string, string | undefined>() }
  const words = await readWords(what, cli.io.cwd, to.folder)
  const catalog = loadCatalog()
  const schemas = readSchemas({ components: catalog })
  await settleBetween(
    cli,
    {
      session,
      places: [from.folder, to.folder],
      survey: (picks) =>
        surveyFolders({
          ...{ source: from.folder, target: to.folder, words, picks },
          shapeOf: (apiVersion, kind) => shapeOf(schemas, apiVersion, kind) ?? unknownShape,
          typeCalled: async (name) => typeCalled(catalog, name.toLowerCase()),
        }),
      carry: (chosen) => carryFolders(session, chosen),
    },
    options,
  )
}

function typeCalled({ resources }: ReturnType<typeof loadCatalog>, name: string) {
  const found = resources.find(
    ({ kind, plural, singular, shortNames }) =>
      [kind.toLowerCase(), plural, singular].includes(name) || shortNames.includes(name),
  )
  if (found === undefined) return undefined
  const { group, version, kind } = found
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind }
}
