import { KubesyncError } from '../../errors.ts'
import { ApiError } from '../../kube/errors.ts'
import { groupOf, identityOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import type { Facts } from '../plan/make.ts'
import type { ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { type ChangeSubject, type PreparedChange, surveyChange } from '../survey/change.ts'
import { chooseObjects, type Word } from '../survey/choose.ts'
import type { Folder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import type { JsonMap } from '../value.ts'
import { containersOf } from './containers.ts'
import { type Asked, suits, wishesFor } from './wishes.ts'

interface Deployed {
  readonly words: readonly Word[]
  readonly asked: Asked
}

/** Compares what is asked for with the one object that is meant, in its file and in the cluster. */
export async function surveyDeploy(
  session: Session,
  folder: Folder,
  { words, asked }: Deployed,
): Promise<PreparedChange> {
  const subject = await subjectFor(session, folder, { words, asked })
  const remarks = folder.remarks.filter(({ file }) => file === subject.place.file)
  const wishesOf = (facts: Facts) => wishesFor(facts, asked).wishes
  const prepared = await surveyChange(session, { ...folder, remarks }, [{ ...subject, wishesOf }])
  const resources = prepared.plan.resources.map((one) => noted(one, prepared.facts.get(one.id), asked))
  const scalers = asked.replicas === undefined ? [] : await scalersOf(session, subject)
  return {
    ...prepared,
    plan: {
      ...prepared.plan,
      resources: resources.map((one) => ({ ...one, notes: [...one.notes, ...scalers] })),
    },
  }
}

function noted(resource: ResourcePlan, facts: Facts | undefined, asked: Asked): ResourcePlan {
  const notes = facts === undefined ? [] : wishesFor(facts, asked).notes
  return { ...resource, notes: [...resource.notes, ...notes] }
}

type Subject = Omit<ChangeSubject, 'wishesOf'>

async function subjectFor(session: Session, folder: Folder, { words, asked }: Deployed): Promise<Subject> {
  const found = await chooseObjects(session.client, folder, words).catch((error: unknown) => {
    if (error instanceof KubesyncError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (found === undefined || found.length === 0) refuseUnread(folder)
  if (found === undefined) return inCluster(session, words)
  // A Service of the same name has no image, and of what has any field the one that runs is meant.
  const fits = found.filter(({ object }) => suits(object, asked))
  const running = fits.filter(({ object }) => containersOf(object).length > 0)
  const [one, ...more] = running.length === 1 ? running : fits.length > 0 ? fits : found
  if (one === undefined) throw new KubesyncError('NOT_FOUND', 'there is no object in what was named')
  if (more.length === 0) return subjectOf(one)
  const names = [one, ...more].map(
    ({ identity, manifest }) => `${identity.kind}/${identity.name} (${manifest.file})`,
  )
  throw new KubesyncError('AMBIGUOUS', `several objects are meant: ${names.join(', ')}`, {
    hint: 'name one of them with its type, such as deployment/web',
  })
}

/** What is in no file that can be read may be in one that cannot: then the cluster would be changed alone. */
function refuseUnread({ remarks }: Folder): void {
  const unread = remarks.find(({ isProblem }) => isProblem)
  if (unread === undefined) return
  const { file, line, reason } = unread
  const where = line === undefined ? file : `${file}:${line}`
  throw new KubesyncError('UNREADABLE', `it may be in ${where}, which has a mistake: ${reason}`, {
    hint: 'mend that first',
  })
}

/** Types that a name alone is looked for in. */
const usual = ['deployments', 'statefulsets', 'daemonsets', 'cronjobs']

/** An object that is in no file: in the cluster, by its name or its type and name. */
async function inCluster({ client }: Session, words: readonly Word[]): Promise<Subject> {
  const said = words.flatMap((word) => ('name' in word ? word.name.split('/') : []))
  const [types, name = ''] = said.length > 1 ? [said.slice(0, 1), said[1]] : [usual, said[0]]
  const { namespace } = client.context
  for (const each of types) {
    const { apiVersion, plural } = await client.discovery.resolve(each)
    const object = await client.get({ apiVersion, plural, namespace, name }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status.code === 404) return undefined
      throw error
    })
    const identity = object === undefined ? undefined : identityOf(object as JsonMap)
    if (identity !== undefined) return { identity, apiVersion, place: { file: '' }, local: undefined }
  }
  throw new KubesyncError(
    'NOT_FOUND',
    `there is nothing called \`${said.join('/')}\`, neither in a file here nor in the cluster`,
    {
      hint: 'name a file, or an object with its type, such as deployment/web',
    },
  )
}

/** What else decides on the replicas of an object. */
async function scalersOf({ client }: Session, { identity }: Subject): Promise<string[]> {
  const ref = {
    apiVersion: 'autoscaling/v1',
    plural: 'horizontalpodautoscalers',
    namespace: identity.namespace,
  }
  const { items } = await client.listAll(ref).catch((error: unknown) => {
    if (error instanceof ApiError) return { items: [] }
    throw error
  })
  return items.flatMap((item) => {
    const spec = valueAt(item as JsonMap, ['spec'])
    const target = (name: string) => String(valueAt(spec, ['scaleTargetRef', name]) ?? '')
    const isIt = target('kind') === identity.kind && target('name') === identity.name
    if (!isIt || groupOf(target('apiVersion')) !== identity.group) return []
    const [least, most] = [valueAt(spec, ['minReplicas']) ?? 1, valueAt(spec, ['maxReplicas'])]
    return [
      `HorizontalPodAutoscaler ${item.metadata?.name} decides on its replicas, ${least} to ${most}: it will not stay`,
    ]
  })
}
