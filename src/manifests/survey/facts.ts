import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BaseEntry } from '../base/store.ts'
import { unknownShape } from '../diff/shape.ts'
import { type Identity, nameOf } from '../order/references.ts'
import { valueAt } from '../path.ts'
import { type Facts, isUntouched, type Live } from '../plan/make.ts'
import type { Place, Plan } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { equal, type JsonMap } from '../value.ts'

/** A plan, and what it takes to carry it out. */
export interface Prepared {
  readonly plan: Plan
  /** By the resource's id. */
  readonly facts: ReadonlyMap<string, Facts>
  /** The files that were read, by their paths. */
  readonly texts: ReadonlyMap<string, string>
}

/** An object, here or there or both. */
export interface Subject {
  readonly identity: Identity
  readonly apiVersion: string
  readonly place: Place
  readonly local: JsonMap | undefined
  readonly live: JsonMap | undefined
  /** Whether what was agreed on before does not count. */
  readonly isFresh?: boolean
}

/** Puts together what is known of an object; asks the server where it takes a schema or its defaults. */
export async function factsOf(session: Session, subject: Subject): Promise<Facts> {
  const { identity, apiVersion, place, local } = subject
  const file = resolve(session.root, place.file)
  // What is in no file here was removed from here, and not from a folder elsewhere that is gone.
  const isThere = (other: string) =>
    existsSync(other) || (local === undefined && !other.startsWith(`${session.root}/`))
  const entry = subject.isFresh === true ? undefined : session.base.find(nameOf(identity), file, isThere)
  const agreed = entry?.agreed
  const isKnown = entry !== undefined && isVersion(entry, subject.live)
  const live =
    subject.live === undefined ? undefined : liveOf(session, subject.live, { local, entry, isKnown })
  const known = {
    ...{ identity, apiVersion, place, agreed, local, live, bare: undefined, shape: unknownShape },
    ...{ wasPushed: entry?.isPushed === true, isKnown },
  }
  if (isUntouched(known)) return known
  const shape = await session.shapes(apiVersion, identity.kind)
  if (agreed !== undefined || live === undefined) return { ...known, shape }
  return { ...known, shape, bare: await session.stripper.strip(live, local, shape) }
}

function isVersion({ resourceVersion, uid }: BaseEntry, object: JsonMap | undefined): boolean {
  return (
    resourceVersion === valueAt(object, ['metadata', 'resourceVersion']) &&
    uid === valueAt(object, ['metadata', 'uid'])
  )
}

interface Known {
  readonly local: JsonMap | undefined
  readonly entry: BaseEntry | undefined
  readonly isKnown: boolean
}

/** Where neither the file nor the version is another one, neither is what is clean of it. */
function liveOf(session: Session, object: JsonMap, { local, entry, isKnown }: Known): Live {
  if (entry !== undefined && isKnown && equal(local, entry.agreed.file))
    return { object, clean: entry.agreed.live }
  return { object, clean: session.clean(object, local ?? entry?.agreed.file) }
}

/** What both sides came to agree on. */
export interface Agreement {
  readonly agreed: BaseEntry['agreed']
  /** The object as it is in the cluster now. */
  readonly live: JsonMap
  /** Whether that is all of it: if something was left as it was, this version says more than what was agreed on. */
  readonly isWhole: boolean
  readonly isPushed: boolean
}

/** What is to be remembered of an object, once both sides agree. */
export function entryFor(
  session: Session,
  { identity, place }: Pick<Facts, 'identity' | 'place'>,
  { agreed, live, isWhole, isPushed }: Agreement,
): BaseEntry {
  const text = (name: string) => String(valueAt(live, ['metadata', name]) ?? '')
  return {
    name: nameOf(identity),
    file: resolve(session.root, place.file),
    agreed,
    resourceVersion: isWhole ? text('resourceVersion') : '',
    uid: text('uid'),
    isPushed,
  }
}
