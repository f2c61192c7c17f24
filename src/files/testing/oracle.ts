import type { FirstContact, Mode } from '../mode.ts'
import type { Side } from '../side.ts'
import { otherSide } from '../side.ts'
import type { Path } from '../tree.ts'
import type { Edit } from './memory-files.ts'

/**
 * When a sync may let a version of a side go, though nobody who saw it replaced or deleted it: never; if the other
 * side made something there as well; if that was later; always.
 */
type Permission = 'never' | 'contest' | 'older' | 'always'
type Permissions = Readonly<Record<Side, Permission>>

const nothing: Permissions = { local: 'never', remote: 'never' }

/** Written down from what users are promised, and from nothing else. */
const byMode: Readonly<Record<Mode, Permissions>> = {
  'two-way-safe': nothing,
  'two-way-local-wins': { local: 'never', remote: 'contest' },
  'two-way-remote-wins': { local: 'contest', remote: 'never' },
  'two-way-newest-wins': { local: 'older', remote: 'older' },
  'to-remote-safe': nothing,
  'to-remote-mirror': { local: 'never', remote: 'always' },
  'to-local-safe': nothing,
  'to-local-mirror': { local: 'always', remote: 'never' },
}
const byContact: Readonly<Record<FirstContact, Permissions>> = {
  merge: nothing,
  local: { local: 'never', remote: 'contest' },
  remote: { local: 'contest', remote: 'never' },
  newest: { local: 'older', remote: 'older' },
  'keep-both': nothing,
}

export interface Version {
  readonly side: Side
  readonly path: Path
  readonly content: string
}

/** What somebody did; `number` and `at` (milliseconds that all clocks share) grow. */
interface Deed {
  readonly side: Side
  readonly edit: Edit
  readonly number: number
  readonly at: number
}

/** Both sides agreed on everything but what is at these paths. */
interface Agreement {
  readonly number: number
  readonly apart: readonly Path[]
}

/** An independent memory of all that people did, which knows what may be lost by whose doing. */
export class Oracle {
  private readonly permissions: readonly Permissions[]
  private readonly versions = new Map<string, Version & Deed>()
  private readonly deeds: Deed[] = []
  private agreements: Agreement[] = []

  constructor(mode: Mode, contact: FirstContact) {
    this.permissions = [byMode[mode], byContact[contact]]
  }

  /** @param gone contents that were on that side before, and are not any more */
  edited(deed: Omit<Deed, 'number'>, gone: Iterable<string>): void {
    const numbered = { ...deed, number: this.deeds.length }
    this.deeds.push(numbered)
    this.forget(gone)
    const { edit, side } = numbered
    if (edit.do === 'write') {
      this.versions.set(edit.content, { ...numbered, side, path: edit.path, content: edit.content })
    }
  }

  /** Contents that nobody can expect to find again. */
  forget(contents: Iterable<string>): void {
    for (const content of contents) this.versions.delete(content)
  }

  /** What is left of what both sides had is one side's alone. */
  leftOn(side: Side, contents: Iterable<string>): void {
    for (const content of contents) {
      const version = this.versions.get(content)
      if (version !== undefined) this.versions.set(content, { ...version, side })
    }
  }

  agreed(apart: readonly Path[]): void {
    this.agreements.push({ number: this.deeds.length, apart })
  }

  /** What was carried over since both sides agreed may be forgotten: then it looks as if each side had made it. */
  interrupted(): void {
    const since = this.agreements.at(-1)?.number ?? 0
    const forgotten = this.deeds.slice(since)
    for (const deed of forgotten) {
      this.deeds.push({ ...deed, side: otherSide[deed.side], number: this.deeds.length })
    }
  }

  /** How often both sides agreed; what was written down of that may be lost. */
  get agreementCount(): number {
    return this.agreements.length
  }

  loseAgreements(left: number): void {
    this.agreements = this.agreements.slice(0, left)
  }

  /** What nobody gave up, of which this is not to be found. */
  missing(found: ReadonlySet<string>): readonly Version[] {
    return [...this.versions.values()].filter(({ content }) => !found.has(content))
  }

  /** @param isKept whether it is in the trash of local, where a version of remote may have been the last one left */
  mayBeLost(content: string, isKept: boolean): boolean {
    const version = this.versions.get(content)
    if (version === undefined) return true
    const here = { ...version, side: 'local' } as const
    return this.permissions.some(
      (permissions) =>
        this.permits(permissions[version.side], version) || (isKept && this.permits(permissions.local, here)),
    )
  }

  /** Whether somebody did something at a path of a side, or near it. */
  touched(side: Side, path: Path): boolean {
    return this.deeds.some((deed) => deed.side === side && isNear(deed.edit.path, path))
  }

  private permits(permission: Permission, version: Version & Deed): boolean {
    if (permission === 'never' || permission === 'always') return permission === 'always'
    const rivals = this.rivalsOf(version)
    if (permission === 'contest') return rivals.some(({ edit }) => edit.do !== 'touch')
    return rivals.some(({ at }) => at > version.at)
  }

  /** What the other side made there between the agreements before and after it. */
  private rivalsOf(version: Version & Deed): readonly Deed[] {
    const { path, number } = version
    const around = this.agreements.filter(({ apart }) => !apart.some((one) => isNear(one, path)))
    const since = around.findLast((one) => one.number <= number)?.number ?? 0
    const until = around.find((one) => one.number > number)?.number ?? Infinity
    const between = this.deeds.filter((deed) => deed.number >= since && deed.number < until)
    return entangled(between, path).filter(
      ({ side, edit }) => side === otherSide[version.side] && makes(edit),
    )
  }
}

/** What was done at a path, or near what was done near it, and so on: where a folder is at stake, all in it is. */
function entangled(deeds: readonly Deed[], path: Path): readonly Deed[] {
  const paths = [path]
  const found = new Set<Deed>()
  for (const one of paths) {
    for (const deed of deeds) {
      if (found.has(deed) || !isNear(deed.edit.path, one)) continue
      found.add(deed)
      paths.push(deed.edit.path)
    }
  }
  return [...found]
}

function makes(edit: Edit): boolean {
  return ['write', 'symlink', 'mkdir', 'chmod', 'touch'].includes(edit.do)
}

/** Whether a path is another, or one leads to the other. */
export function isNear(a: Path, b: Path): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}
