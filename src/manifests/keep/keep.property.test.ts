import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isMap, type Json, type JsonMap } from '../value.ts'
import { maxRounds } from './memory.ts'
import type { KeepPolicy, KeepSide } from './status.ts'
import { FakeCluster } from './testing/fake-cluster.ts'
import { Daemon, Folder } from './testing/stage.ts'

/** Where objects are written down; two of them share a file. */
const files: Readonly<Record<string, string>> = {
  one: 'one.yaml',
  two: 'both.yaml',
  three: 'both.yaml',
  four: 'deep/four.yaml',
}
const names = Object.keys(files)
const fields = ['a', 'b', 'c']
const asking: KeepPolicy = { mode: 'two-way', onConflict: 'ask', onDeletion: 'ask', mayWriteCluster: true }
const policies = fc.oneof(
  { arbitrary: fc.constant(asking), weight: 3 },
  {
    arbitrary: fc.record<KeepPolicy>({
      mode: fc.constantFrom('two-way', 'to-cluster', 'to-files'),
      onConflict: fc.constantFrom('ask', 'local', 'remote'),
      onDeletion: fc.constantFrom('ask', 'carry', 'restore'),
      mayWriteCluster: fc.boolean(),
    }),
    weight: 1,
  },
)

const pathOf = (name: string) => `/api/v1/namespaces/a/configmaps/${name}`
const deployment = '/apis/apps/v1/namespaces/a/deployments/scaled'
const autoscaler = '/apis/autoscaling/v1/namespaces/a/horizontalpodautoscalers/it'

function document(name: string): string {
  const data = fields.map((field) => `  ${field}: ${name}-${field} # ${field}`)
  return ['apiVersion: v1', 'kind: ConfigMap', 'metadata:', `  name: ${name}`, 'data:', ...data, ''].join(
    '\n',
  )
}

const scaled = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: scaled
spec:
  replicas: 1 # to begin with
  image: scaled-image
`

/** Something that somebody does. `nth` chooses among what there is. */
interface Act {
  readonly what:
    | 'edit-file'
    | 'edit-live'
    | 'comment'
    | 'remove-document'
    | 'write-document'
    | 'remove-live'
    | 'break-file'
    | 'mend-file'
    | 'scale'
    | 'fight'
    | 'status'
    | 'cut'
    | 'forget'
    | 'leave'
    | 'return'
    | 'pass'
    | 'other-pass'
    | 'crash'
    | 'answer'
    | 'restart'
  readonly nth: number
}

const often = {
  'edit-file': 30,
  'edit-live': 30,
  comment: 5,
  pass: 25,
  'other-pass': 8,
  scale: 4,
  fight: 6,
  status: 4,
}
const seldom = [
  'remove-document',
  'remove-live',
  'break-file',
  'mend-file',
  'cut',
  'forget',
  'leave',
  'return',
  'crash',
  'answer',
  'restart',
]
const acts = fc.array(
  fc.record<Act>({
    what: fc.oneof(
      ...Object.entries(often).map(([what, weight]) => ({
        arbitrary: fc.constant(what as Act['what']),
        weight,
      })),
      { arbitrary: fc.constantFrom(...(seldom as Act['what'][])), weight: 14 },
    ),
    nth: fc.nat({ max: 999 }),
  }),
  { minLength: 1, maxLength: 400, size: 'max' },
)

/** What somebody wrote into a field. */
interface Edit {
  readonly side: KeepSide
  readonly name: string
  readonly field: string
  readonly value: string
}

/** A folder and a cluster, who works on them, and all that was ever seen there. */
class Play {
  readonly folder = new Folder()
  readonly cluster = new FakeCluster()
  readonly edits: Edit[] = []
  /** Objects that a person deleted. */
  readonly deleted = new Set<string>()
  /** Objects of which somebody said that they are to go. */
  readonly condemned = new Set<string>()
  /** How often somebody said of a value that it is to be in the cluster. */
  readonly affirmed = new Map<Json | undefined, number>()
  /** Values that lost, because somebody said so. */
  readonly lost = new Set<Json | undefined>()
  readonly seen = { local: new Set<string>(), remote: new Set<string>() }
  /** With the file that each is in. */
  readonly comments: [comment: string, file: string][] = []
  readonly policy: KeepPolicy
  lives = 2
  #clock = 1_800_000_000_000
  readonly #daemons: readonly Daemon[]
  #broken = ''

  constructor(policy: KeepPolicy) {
    this.policy = policy
    this.#daemons = [1, 2].map(() => new Daemon({ ...this, now: () => this.#clock }, policy))
    this.folder.write('one.yaml', `# kept by hand\n${document('one')}`)
    this.folder.write('both.yaml', `${document('two')}---\n${document('three')}`)
    this.folder.write('deep/four.yaml', document('four'))
    this.folder.write('scaled.yaml', scaled)
    this.folder.write('fought.yaml', document('fought'))
    const target = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' } }
    this.cluster.edit(autoscaler, 'kubectl-create', () => ({
      ...{
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'it', namespace: 'a' },
        spec: target,
      },
    }))
  }

  async act({ what, nth }: Act): Promise<void> {
    const name = names[nth % names.length] ?? ''
    const field = fields[(nth >> 2) % fields.length] ?? ''
    const file = files[name] ?? ''
    const [daemon, other] = this.#daemons
    this.#clock += (nth % 40) * 100
    switch (what) {
      case 'edit-file':
        return this.editFile(nth % 7 === 0 ? 'fought' : name, field)
      case 'edit-live':
        return this.editLive(name, field)
      case 'comment':
        return this.#comment(file)
      case 'remove-document':
        if (this.folder.read(file).includes(`name: ${name}\n`)) this.deleted.add(name)
        return this.folder.edit(file, (text) => without(text, name))
      case 'write-document':
        return this.#write(name, file)
      case 'remove-live':
        if (this.cluster.objects.has(pathOf(name))) this.deleted.add(name)
        return this.cluster.remove(pathOf(name), 'kubectl')
      case 'break-file':
        return this.#break(file, nth)
      case 'mend-file':
        return this.#mend()
      case 'scale':
        return this.#live(deployment, 'horizontal-pod-autoscaler', { spec: { replicas: nth } })
      case 'fight':
        return this.#fight()
      case 'status':
        return this.#live(pathOf(name), 'some-controller', { status: { seen: nth } })
      case 'cut':
        return this.cluster.cut()
      case 'forget':
        return this.cluster.forget()
      case 'leave':
      case 'return':
        this.cluster.isAway = what === 'leave'
        return
      case 'pass':
        return this.pass(daemon)
      case 'other-pass':
        return this.pass(other)
      case 'crash':
        this.lives += 1
        return this.pass(daemon, new Map(), 1 + (nth % 60))
      case 'restart':
        this.lives += 1
        return daemon?.kill()
      case 'answer':
        return this.answer(daemon, nth)
    }
  }

  editFile(name: string, field: string): void {
    const value = `f${this.edits.length}`
    const file = files[name] ?? `${name}.yaml`
    const line = new RegExp(`(name: ${name}\\n(?:(?!---)[^\\n]*\\n)*?  ${field}: )([^ \\n]+)`)
    this.folder.edit(file, (text) => {
      if (!line.test(text)) return text
      this.edits.push({ side: 'local', name, field, value })
      return text.replace(line, `$1${value}`)
    })
    this.look()
  }

  editLive(name: string, field: string): void {
    if (!this.cluster.objects.has(pathOf(name))) return
    const value = `l${this.edits.length}`
    this.edits.push({ side: 'remote', name, field, value })
    this.#live(pathOf(name), 'kubectl-edit', { data: { [field]: value } })
    this.look()
  }

  #live(path: string, manager: string, change: Readonly<Record<string, JsonMap>>): void {
    if (!this.cluster.objects.has(path)) return
    this.cluster.edit(path, manager, (object) => ({
      ...object,
      ...Object.fromEntries(
        Object.entries(change).map(([key, inner]) => [
          key,
          { ...(isMap(object[key]) ? object[key] : {}), ...inner },
        ]),
      ),
    }))
  }

  /** A controller that has its own idea of a field. */
  #fight(): void {
    this.#live(pathOf('fought'), 'fighter', { data: { a: 'mine' } })
  }

  #comment(file: string): void {
    const comment = `# note ${this.comments.length}`
    this.folder.edit(file, (text) => {
      if (!text.includes('data:')) return text
      this.comments.push([comment, file])
      return text.replace(/data:\n/, `data:\n  ${comment}\n`)
    })
  }

  #write(name: string, file: string): void {
    if (this.#broken !== '' || this.folder.read(file).includes(`name: ${name}\n`)) return
    const before = this.folder.read(file)
    this.folder.write(file, before === '' ? document(name) : `${before}---\n${document(name)}`)
  }

  #break(file: string, nth: number): void {
    if (this.#broken !== '') return
    this.#broken = file
    const mess = nth % 2 === 0 ? '<<<<<<< HEAD\n' : 'a: [\n'
    this.folder.edit(file, (text) => `${mess}${text}`)
  }

  #mend(): void {
    if (this.#broken === '') return
    this.folder.edit(this.#broken, (text) => text.replace(/^(<<<<<<< HEAD|a: \[)\n/, ''))
    this.#broken = ''
  }

  async pass(daemon: Daemon | undefined, ...how: Parameters<Daemon['pass']>): Promise<void> {
    this.look()
    const before = this.folder.objects()
    await daemon?.pass(...how)
    for (const [name, { data }] of this.folder.objects())
      for (const value of valuesOf(data)) {
        const isOld = valuesOf(before.get(name)?.data).includes(value)
        if (!isOld) expect(this.seen.remote).toContain(`${name} ${value}`)
      }
    const mayGo = (name: string) => this.condemned.has(name) || this.policy.onDeletion === 'carry'
    const gone = [...before.keys()].filter((name) => !this.folder.objects().has(name) && !mayGo(name))
    if (this.#broken === '') expect(gone).toEqual([])
    this.look()
  }

  async answer(daemon: Daemon | undefined, nth: number): Promise<void> {
    const sides = (resource: string, field: string): KeepSide =>
      (resource.length + field.length + nth) % 2 === 0 ? 'local' : 'remote'
    const answers = daemon?.answers(sides) ?? new Map()
    for (const [key, { side, local, remote }] of answers) {
      this.#loses(side === 'local' ? remote : local)
      if (side === 'local') this.affirmed.set(local, (this.affirmed.get(local) ?? 0) + 1)
      if (local === undefined || remote === undefined)
        this.condemned.add(key.split('\0')[0]?.split('/')[1] ?? '')
    }
    await this.pass(daemon, answers)
  }

  #loses(value: Json | undefined): void {
    if (isMap(value))
      for (const inner of Object.values(isMap(value.data) ? value.data : {})) this.lost.add(inner)
    else this.lost.add(value)
  }

  /** Notes what is where. */
  look(): void {
    for (const [name, { data }] of this.folder.objects())
      for (const value of valuesOf(data)) this.seen.local.add(`${name} ${value}`)
    for (const { path, object } of this.cluster.history)
      for (const value of valuesOf(object.data)) this.seen.remote.add(`${path.split('/').at(-1)} ${value}`)
  }

  /** Everybody comes back, and somebody answers until nothing is asked. How often something was written when all had been said. */
  async end(): Promise<number> {
    this.#mend()
    this.cluster.isAway = false
    for (const daemon of this.#daemons) daemon.kill()
    let before = this.cluster.history.length
    for (let round = 0; round < 12; round += 1) {
      this.#clock += 3600_000
      if (round === 9) before = this.cluster.history.length
      for (const daemon of this.#daemons) await this.answer(daemon, round)
    }
    return this.cluster.history.length - before
  }

  close(): void {
    for (const daemon of this.#daemons) daemon.kill()
    this.folder.remove()
  }

  get questions(): number {
    return this.#daemons.reduce((sum, { last }) => sum + (last?.decision.questions.length ?? 0), 0)
  }
}

function valuesOf(data: Json | undefined): string[] {
  return Object.values(isMap(data) ? data : {}).map(String)
}

function without(text: string, name: string): string {
  const documents = text.split(/^---\n/m).filter((one) => !one.includes(`name: ${name}\n`))
  return documents.join('---\n')
}

/** The changes of fields that a write made. */
function changesOf(before: JsonMap | undefined, object: JsonMap): string[] {
  const [old, now] = [before?.data, object.data].map((data) => (isMap(data) ? data : {}))
  return Object.keys({ ...old, ...now })
    .filter((key) => old?.[key] !== now?.[key])
    .map((key) => `${key}=${now?.[key]}`)
}

/** Each write to the cluster that was ours, with the changes that it made. */
function ourWrites(cluster: FakeCluster) {
  const before = new Map<string, JsonMap>()
  return cluster.history
    .map((one) => {
      const last = before.get(one.path)
      if (one.type === 'DELETED') before.delete(one.path)
      else before.set(one.path, one.object)
      return {
        ...one,
        name: one.path.split('/').at(-1) ?? '',
        before: last,
        changes: changesOf(last, one.object),
      }
    })
    .filter(({ manager }) => manager === 'kubesync')
}

test('whatever happens on both sides, no edit is lost, nothing is written that nobody asked for, and it comes to rest', async () => {
  const property = fc.asyncProperty(policies, acts, async (policy, all) => {
    const play = new Play(policy)
    try {
      for (const act of all) await play.act(act)
      expect(await play.end()).toBe(0)
      if (policy === asking) expectRest(play)
      if (policy === asking) expectNothingLost(play)
      expectNothingUnasked(play)
    } finally {
      play.close()
    }
  })
  await fc.assert(property, { numRuns: Number(process.env.KUBESYNC_TEST_RUNS ?? 6) })
}, 300_000)

function expectRest({ folder, cluster, questions, comments, deleted }: Play): void {
  expect(questions).toBe(0)
  const here = folder.objects()
  for (const name of names) {
    const there = cluster.objects.get(pathOf(name))
    expect({ name, data: here.get(name)?.data }).toEqual({ name, data: there?.data })
  }
  const isKept = (file: string) => names.every((name) => files[name] !== file || !deleted.has(name))
  const gone = comments.filter(
    ([comment, file]) => isKept(file) && !folder.read(file).includes(`${comment}\n`),
  )
  expect(gone).toEqual([])
}

function expectNothingLost({ edits, seen, lost, deleted }: Play): void {
  const other = { local: seen.remote, remote: seen.local }
  const missing = edits.filter(({ side, name, field, value }, index) => {
    if (name === 'fought' || deleted.has(name)) return false
    const isCarried = other[side].has(`${name} ${value}`)
    const isOvertaken = edits
      .slice(index + 1)
      .some((one) => one.side === side && one.name === name && one.field === field)
    return !isCarried && !isOvertaken && !lost.has(value)
  })
  expect(missing).toEqual([])
}

function expectNothingUnasked({ cluster, seen, lives, folder, policy, condemned, affirmed }: Play): void {
  const times = new Map<string, number>()
  for (const { type, name, before, object, changes } of ourWrites(cluster)) {
    if (type === 'DELETED' && policy.onDeletion !== 'carry') expect(condemned).toContain(name)
    expect(policy.mayWriteCluster).toBe(true)
    if (type === 'DELETED' || before === undefined) continue
    if (name === 'scaled') expect(object.spec).toEqual(before.spec)
    if (name === 'scaled') continue
    expect({ name, changes }).not.toEqual({ name, changes: [] })
    for (const change of changes) {
      const [, value] = change.split('=')
      expect(seen.local).toContain(`${name} ${value}`)
      times.set(`${name} ${change}`, (times.get(`${name} ${change}`) ?? 0) + 1)
    }
  }
  // Who dies between a write and what is remembered of it may find a conflict there, which somebody or the policy settles.
  const perLife = policy.onConflict === 'local' ? lives : 0
  const mayBe = (what: string) =>
    what.startsWith('fought') ? maxRounds * lives : 1 + perLife + (affirmed.get(what.split('=')[1]) ?? 0)
  const often = [...times].filter(([what, count]) => count > mayBe(what))
  expect(often).toEqual([])
  expect(folder.read('scaled.yaml')).toBe(scaled)
}
