import { randomBytes } from 'node:crypto'
import * as v from 'valibot'

/** Ids that a process runs with; those of the image where undefined. */
export interface User {
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** What an ephemeral container is to do, and to what. */
export interface Wanted {
  /** The container whose files are to be reached. */
  readonly target: string
  /** Any image with Node 20 or newer in it. */
  readonly image: string
  readonly user: User
}

const optional = <S extends v.GenericSchema>(schema: S) => v.nullish(schema)
const securityContext = v.looseObject({
  runAsUser: optional(v.number()),
  runAsGroup: optional(v.number()),
  runAsNonRoot: optional(v.boolean()),
})
const container = v.looseObject({ name: v.string(), securityContext: optional(securityContext) })
const ephemeral = v.looseObject({
  ...container.entries,
  image: v.nullish(v.string(), ''),
  targetContainerName: v.nullish(v.string(), ''),
})
const status = v.looseObject({
  name: v.string(),
  user: optional(v.looseObject({ linux: optional(v.looseObject({ uid: v.number(), gid: v.number() })) })),
  state: v.nullish(
    v.looseObject({
      waiting: optional(
        v.looseObject({ reason: v.nullish(v.string(), ''), message: v.nullish(v.string(), '') }),
      ),
      running: optional(v.looseObject({})),
      terminated: optional(
        v.looseObject({
          exitCode: v.number(),
          reason: v.nullish(v.string(), ''),
          message: v.nullish(v.string(), ''),
        }),
      ),
    }),
    {},
  ),
})
const list = <S extends v.GenericSchema>(item: S) => v.nullish(v.array(item), [])

export const hostSchema = v.looseObject({
  metadata: v.looseObject({ uid: v.string() }),
  spec: v.looseObject({
    securityContext: optional(securityContext),
    containers: list(container),
    initContainers: list(container),
    ephemeralContainers: list(ephemeral),
  }),
  status: v.nullish(
    v.looseObject({
      containerStatuses: list(status),
      initContainerStatuses: list(status),
      ephemeralContainerStatuses: list(status),
    }),
    { containerStatuses: [], initContainerStatuses: [], ephemeralContainerStatuses: [] },
  ),
})

/** A pod, as far as it matters to what is added to it. */
export type Host = v.InferOutput<typeof hostSchema>
export type State = v.InferOutput<typeof status>['state']

const prefix = 'ksync-'
/** How often it looks whether anybody needs it, and after how many looks in vain it ends. */
const TICK_MS = 15_000
const PATIENCE = 20

/**
 * What the container does: nothing, until for five minutes no process has its name among its arguments, as agents in it
 * have. It must stay valid on any Node. Its arguments: its name, milliseconds between looks, looks.
 */
export const idle = `
var fs = require('fs'), name = process.argv[1], left = +process.argv[3];
process.on('SIGTERM', function () { process.exit(0); });
function isAgent(pid) {
  if (!/^[0-9]+$/.test(pid) || +pid === process.pid) return false;
  try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').indexOf(name) !== -1; } catch (e) { return false; }
}
setInterval(function () {
  left = fs.readdirSync('/proc').some(isAgent) ? +process.argv[3] : left - 1;
  if (left <= 0) process.exit(0);
}, +process.argv[2]);
`.trim()

/**
 * An ephemeral container that reaches its target's files: it shares the target's processes, has its ids, and by its
 * whole securityContext at least its capabilities, which together make the kernel let it in.
 */
export function ephemeralContainer({ spec }: Host, { target, image, user }: Wanted): Record<string, unknown> {
  const name = prefix + randomBytes(4).toString('hex')
  const like = [...spec.containers, ...spec.initContainers].find((one) => one.name === target)
  const { readOnlyRootFilesystem: _, ...context } = like?.securityContext ?? {}
  const { uid: runAsUser, gid: runAsGroup } = user
  const ids = {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
  }
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    targetContainerName: target,
    command: ['node', '-e', idle, name, String(TICK_MS), String(PATIENCE)],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { ...context, ...ids },
  }
}

/** Somebody who is not root, for a look at whom the target's process belongs to. */
const nobody = { uid: 65_532, gid: 65_532 }

/** Whom the target runs as, as far as its pod tells: by what was found out before, its status, and its spec. */
export function userOf(host: Host, target: string): User {
  const before = host.spec.ephemeralContainers.filter(isOursFor(target)).at(-1)?.securityContext
  if (typeof before?.runAsUser === 'number') return idsIn(before)
  const { containerStatuses = [], initContainerStatuses = [] } = host.status
  const linux = [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === target)?.user
    ?.linux
  if (linux) return { uid: linux.uid, gid: linux.gid }
  const { containers, initContainers, securityContext } = host.spec
  const own = [...containers, ...initContainers].find(({ name }) => name === target)?.securityContext
  const user = { ...idsIn(securityContext), ...defined(idsIn(own)) }
  const nonRoot = own?.runAsNonRoot ?? securityContext?.runAsNonRoot
  return user.uid === undefined && nonRoot === true ? nobody : user
}

function idsIn(context: v.InferOutput<typeof securityContext> | null | undefined): User {
  return { uid: context?.runAsUser ?? undefined, gid: context?.runAsGroup ?? undefined }
}

function defined(user: User): User {
  return Object.fromEntries(Object.entries(user).filter(([, id]) => id !== undefined))
}

/** One of ours for the same target and user that may be used, and how it does: one that runs, or comes up. */
export function findUsable(host: Host, wanted: Wanted): { name: string; state: State } | undefined {
  const ours = candidates(host, wanted)
  return (
    ours.findLast(({ state }) => state.running) ??
    ours.findLast(({ image, state }) => image === wanted.image && !state.terminated)
  )
}

/** Why another one would end as the last one did, if it ended by itself and badly: it has no Node, or too old a one. */
export function lastFailure(host: Host, wanted: Wanted): string | undefined {
  const end = candidates(host, wanted).findLast(({ image }) => image === wanted.image)?.state.terminated
  // 137 and 143 are those of SIGKILL and SIGTERM: it went with its target.
  if (!end || [0, 137, 143].includes(end.exitCode)) return undefined
  return end.message || `${end.reason}, exit code ${end.exitCode}`
}

function candidates({ spec, status }: Host, { target, user }: Wanted) {
  const { ephemeralContainerStatuses: statuses = [] } = status
  return spec.ephemeralContainers
    .filter(isOursFor(target))
    .filter(({ securityContext }) => isSameUser(idsIn(securityContext), user))
    .map(({ name, image }) => ({
      name,
      image,
      state: statuses.find((one) => one.name === name)?.state ?? {},
    }))
}

function isOursFor(target: string) {
  return ({ name, targetContainerName }: v.InferOutput<typeof ephemeral>) =>
    name.startsWith(prefix) && targetContainerName === target
}

function isSameUser(one: User, other: User): boolean {
  return one.uid === other.uid && one.gid === other.gid
}
