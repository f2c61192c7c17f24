import type { Plan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { surveyFolder } from '../survey/folder.ts'
import { type Decision, decide } from './decide.ts'
import { openFollowing } from './follow.ts'
import { nothing } from './memory.ts'
import type { KeepPolicy, KeepProblem } from './status.ts'
import { surveyKept } from './survey.ts'

/** What keeping in step would begin with. */
export interface FirstPass {
  /** Of direction `push`. */
  readonly plan: Plan
  readonly decision: Decision
  readonly problems: readonly KeepProblem[]
}

/** Looks at a folder and a cluster as `keepInStep` does at first, and writes nothing. */
export async function firstPass(
  session: Session,
  { layout, ...policy }: KeepPolicy & { readonly layout: string | undefined },
): Promise<FirstPass> {
  const following = openFollowing(session.client, () => {})
  try {
    const folder = await surveyFolder(session, ['.'])
    const sight = { folder, following, unsettled: new Set<string>(), bringsNew: false, layout }
    const { prepared, autoscaled, problems } = await surveyKept(session, sight)
    const { plan } = prepared
    const decision = decide(plan.resources, { policy, memory: nothing, autoscaled, now: Date.now() })
    return { plan, decision, problems }
  } finally {
    following.close()
  }
}
