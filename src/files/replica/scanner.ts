import { errnoOf } from '../../errors.ts'
import type { Problem } from '../operation.ts'
import type { Path } from '../tree.ts'
import { Alarms } from './alarms.ts'
import { type Attributes, foreseen } from './attributes.ts'
import type { Dir } from './dir.ts'
import { Dirt } from './dirt.ts'
import { foldsNames } from './folding.ts'
import { HardLinks } from './hard-links.ts'
import { type Changes, Folder, Holding } from './holding.ts'
import { Pass } from './pass.ts'
import { prune } from './prune.ts'
import { problemAt, type Refusal } from './refusal.ts'
import { Rhythm } from './rhythm.ts'
import { type OpenRoot, type Root, RootKeeper } from './root.ts'
import { type RulesToFollow, Ruling } from './ruling.ts'
import { signLatest } from './sign.ts'
import type { Site } from './site.ts'
import { directoryEntry } from './stamp.ts'
import { type LargeFile, SumMemory } from './sum-memory.ts'
import { Upkeep } from './upkeep.ts'
import { Watches } from './watches.ts'

const UNWATCHED: Problem = {
  path: '',
  code: 'WATCH_LIMIT',
  message:
    "has more directories than may be watched, so some are looked at every second only: raise the machine's fs.inotify.max_user_watches",
}

export interface ScannerOptions {
  readonly openRoot: OpenRoot
  readonly attributes?: Attributes | undefined
  /** Whether large files are likely to be replaced, so that what they hold is found out at once. */
  readonly signsAhead?: boolean | undefined
  /** Told after each pass, whatever it found. */
  readonly onPass: (changes: Changes) => void
  /** Called now and then during a pass, when the tree is no snapshot. */
  readonly onRest: () => void
  /** Told of a defect of ours, after which the tree cannot be relied on. */
  readonly onFailure: (error: unknown) => void
}

/** Keeps the tree of a replica in line with what is on disk. */
export class Scanner implements Site {
  readonly holding: Holding
  readonly ruling: Ruling
  readonly sums = new SumMemory()
  private readonly options: ScannerOptions
  private readonly keeper: RootKeeper
  private readonly watches: Watches
  private readonly upkeep: Upkeep
  private readonly rhythm = new Rhythm()
  private readonly startedAt = Date.now()
  private complaint: Refusal | undefined
  private readonly links = new HardLinks()
  private isFolding: boolean | undefined
  private dirt = new Dirt()
  /** Those who wait until what is dirty now has been looked at. */
  private waiting: (() => void)[] = []
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> | undefined
  private closed = false
  /** What it is to go by from the next pass on. */
  private orders: RulesToFollow | undefined
  /** Nobody looks at anything before it is known what is ignored. */
  private isOrdered = false
  /** What the first pass found. */
  private large: LargeFile[] | undefined
  private readonly alarms = new Alarms((directory) => this.suspect(directory))

  constructor(options: ScannerOptions) {
    this.options = options
    if (options.signsAhead) this.large = []
    this.complaint = foreseen(this.attributes)
    this.keeper = new RootKeeper(options.openRoot)
    this.watches = new Watches({
      onChange: (directory, name) => this.soil((dirt) => dirt.add(directory, name)),
      isIgnored: (folder, name) =>
        !this.ruling.isRuleFile(name) && this.ruling.verdict(folder, name) === 'ignored',
      onOverflow: () => this.soil((dirt) => dirt.addEverything()),
    })
    this.ruling = new Ruling({ listLater: (directory, ms) => this.alarms.set(directory, ms) })
    this.holding = new Holding((folder) => this.dismiss(folder))
    this.upkeep = new Upkeep({
      holding: this.holding,
      watches: this.watches,
      wake: (add) => this.soil(add),
    })
  }

  get attributes(): Attributes {
    return this.options.attributes ?? {}
  }

  get root(): Root | undefined {
    return this.keeper.current
  }

  /** Looks at these paths at once; resolves after `onPass` was told. */
  rescan(paths: readonly Path[] | 'all'): Promise<void> {
    if (paths === 'all') this.dirt.addEverything()
    else for (const path of paths) this.dirt.addPath(path)
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      this.start()
    })
  }

  /** Goes by these rules, from a new pass on; resolves after `onPass` was told. */
  follow(orders: RulesToFollow): Promise<void> {
    this.orders = orders
    this.isOrdered = true
    return this.rescan([])
  }

  /** Something at this path is not as it was expected to be. */
  suspect(path: Path): void {
    this.soil((dirt) => dirt.addPath(path))
  }

  complain(refusal: Refusal): void {
    this.complaint = refusal
    this.soil(() => {})
  }

  watch(folder: Folder, dir: Dir): void {
    this.watches.watch(folder, dir)
  }

  async close(): Promise<void> {
    this.closed = true
    this.upkeep.close()
    clearTimeout(this.timer)
    this.alarms.close()
    this.holding.setTop(undefined)
    await this.running
    this.keeper.close()
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private soil(add: (dirt: Dirt) => void): void {
    add(this.dirt)
    if (this.timer === undefined && this.running === undefined && !this.closed) this.schedule()
  }

  dismiss(folder: Folder): void {
    this.watches.unwatch(folder)
    this.ruling.forget(folder)
  }

  private schedule(): void {
    const wait = this.rhythm.wait(performance.now())
    this.timer = setTimeout(() => this.start(), wait)
  }

  private start(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.running !== undefined || this.closed || !this.isOrdered) return
    this.running = this.run().finally(() => {
      this.running = undefined
      if (this.waiting.length > 0) this.start()
      else if (!this.dirt.isEmpty) this.soil(() => {})
    })
  }

  private async run(): Promise<void> {
    const { dirt, waiting } = this
    this.dirt = new Dirt()
    this.waiting = []
    try {
      await this.pass(dirt)
      this.options.onPass(this.holding.takeChanges())
      this.signAhead()
    } catch (error) {
      this.options.onFailure(error)
    }
    if (!dirt.isEmpty) this.rhythm.looked(performance.now())
    for (const resolve of waiting) resolve()
  }

  /** A file that is large, and was written not long ago, is likely to be written again. */
  private signAhead(): void {
    const { large } = this
    this.large = undefined
    if (large !== undefined) void signLatest(this, large)
  }

  private async pass(dirt: Dirt): Promise<void> {
    if (this.keeper.check()) {
      this.holding.setTop(topOf(this.keeper.current))
      this.isFolding = undefined
      this.links.clear()
      dirt.addEverything()
    }
    this.isFolding ??= foldsNamesIn(this.keeper.current)
    this.obey(dirt)
    const { holding, ruling, watches, startedAt, links, isFolding = false } = this
    const root = this.keeper.current?.dir
    if (root !== undefined && !dirt.isEmpty) {
      const pass = new Pass({
        root,
        holding,
        ruling,
        startedAt,
        ...{ links, isFolding, suspect: (path) => this.suspect(path), onRest: this.options.onRest },
        watch: (folder, dir) => watches.watch(folder, dir),
        dismiss: (folder) => this.dismiss(folder),
        large: (file) => this.large?.push(file),
      })
      await pass.run(dirt).catch((error) => this.giveRootUp(error))
    }
    holding.setProblem('', this.rootProblem())
  }

  /** Other rules hold from now on. What they ignore leaves the tree at once, what was ignored is looked for. */
  private obey(dirt: Dirt): void {
    const { orders, holding, ruling } = this
    this.orders = undefined
    if (orders === undefined) return
    if (orders.reads.length > 0) dirt.addEverything()
    for (const directory of ruling.follow(orders)) {
      const folder = holding.folderAt(directory)
      if (folder === undefined) continue
      for (const { path } of prune(holding, folder, ruling)) dirt.addPath(path)
    }
  }

  private giveRootUp(error: unknown): void {
    if (errnoOf(error) === undefined) throw error
    this.keeper.giveUp(error)
    this.holding.setTop(undefined)
  }

  private rootProblem(): Problem | undefined {
    if (this.keeper.problem !== undefined) return problemAt('', this.keeper.problem)
    if (this.watches.unwatched.size > 0) return UNWATCHED
    return this.complaint && problemAt('', this.complaint)
  }
}

function topOf(root: Root | undefined): Folder | undefined {
  const stats = root?.dir.stat()
  return stats && new Folder('', directoryEntry(stats), stats.dev)
}

function foldsNamesIn(root: Root | undefined): boolean | undefined {
  try {
    return root && foldsNames(root.dir)
  } catch (error) {
    // That it cannot be listed is found out, and said, by the pass.
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
