import { KubesyncError } from '../../errors.ts'
import { ApiError } from '../../kube/errors.ts'
import { applyObject } from '../carry/apply.ts'
import { compare, describePath } from '../diff/compare.ts'
import { textsAs } from '../live/view.ts'
import type { LocalObject } from '../local.ts'
import { nameOf } from '../order/references.ts'
import { type Facts, holdsData } from '../plan/make.ts'
import type { Outcome } from '../plan/outcome.ts'
import { ownersOf } from '../plan/owners.ts'
import type { FieldDifference, ResourcePlan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { isMap, type JsonMap } from '../value.ts'

interface Previewed {
  readonly facts: Facts
  readonly plan: ResourcePlan
  readonly apply: NonNullable<Outcome['apply']>
  /** All that is pushed together. */
  readonly objects: readonly Pick<LocalObject, 'identity'>[]
}

/** A plan with what the server says of it in a dry run: what it would add, or why it would refuse. */
export async function preview(session: Session, previewed: Previewed): Promise<ResourcePlan> {
  const { facts, plan, apply } = previewed
  try {
    const result = await applyObject(session.client, { facts, apply, isDryRun: true })
    return { ...plan, differences: [...plan.differences, ...sideEffects(session, { ...previewed, result })] }
  } catch (error) {
    if (error instanceof ApiError) return refusedBy(error, previewed)
    if (!(error instanceof KubesyncError) || error.code !== 'NO_SUCH_KIND') throw error
    return { ...plan, notes: [...plan.notes, 'not validated by the server yet: its kind comes with it'] }
  }
}

/** What the server would change beyond what was asked for. */
function sideEffects(
  session: Session,
  { facts, plan, apply, result }: Previewed & { readonly result: JsonMap },
): FieldDifference[] {
  // Of a new object all that the server adds is its own.
  if (facts.live === undefined) return []
  // What is text before or after is text in both.
  const textsOf = (one: JsonMap | undefined) => (isMap(one?.stringData) ? one.stringData : {})
  const like = { stringData: { ...textsOf(facts.local), ...textsOf(apply.object) } }
  const clean = textsAs(session.clean(result, facts.local), like)
  const isAsked = (id: string) =>
    plan.differences.some((one) => id.startsWith(one.id) || one.id.startsWith(id))
  return compare({ base: undefined, local: clean, remote: textsAs(facts.live.clean, like) }, facts.shape)
    .filter(({ path }) => !isAsked(describePath(path)))
    .map(({ path, local, remote }) => {
      const isAdmission = ownersOf(result, [path]).some(({ manager }) => manager === 'admission_update')
      return {
        ...{ id: `+${describePath(path)}`, path, base: undefined, local, remote },
        ...{ whose: isAdmission ? 'webhook' : 'default', isHeld: false },
        isSecret: facts.identity.kind === 'Secret',
      }
    })
}

function refusedBy({ status }: ApiError, { facts, plan, objects }: Previewed): ResourcePlan {
  const { identity } = facts
  const note = (text: string): ResourcePlan => ({ ...plan, notes: [...plan.notes, text] })
  const home = { group: '', kind: 'Namespace', namespace: undefined, name: identity.namespace ?? '' }
  const isComing = objects.some((one) => nameOf(one.identity) === nameOf(home))
  if (status.code === 404 && isComing)
    return note('not validated by the server yet: its namespace comes with it')
  if (status.code === 403) return note(`not validated by the server: ${status.message}`)
  if (
    status.code === 422 &&
    /immutable|may not be changed|updates to .* are forbidden/i.test(status.message)
  ) {
    const reason = `the cluster cannot change this, only delete it and make it again: ${status.message}`
    return { ...plan, replace: { holdsData: holdsData(identity.kind), reason } }
  }
  return { ...note(`the server refuses it: ${status.message}`), state: 'refused' }
}
