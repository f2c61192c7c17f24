import * as v from 'valibot'
import { parseReload, reloadWords } from './reload.ts'

/** Lower case letters, digits and dashes, as Kubernetes names things. */
const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name has lower-case letters, digits and dashes'),
)
const text = v.pipe(v.string(), v.minLength(1, 'must not be empty'))

/** As a reference to a container image is written, as far as it matters to nobody's shell or terminal. */
export const imageName = /^\w[\w./:@-]*$/

/** YAML takes `640` for a number. */
const digits = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

/** Lines in the syntax of .gitignore. */
const patterns = v.pipe(
  v.array(
    v.pipe(
      text,
      v.maxLength(4096, 'a pattern has at most 4096 characters'),
      v.regex(/^[^\0\n\r]*$/, 'a pattern is one line'),
    ),
  ),
  v.maxLength(1000, 'there are at most 1000 patterns; .ksyncignore holds more'),
)

const modes = [
  ...(['two-way-safe', 'two-way-local-wins', 'two-way-remote-wins', 'two-way-newest-wins'] as const),
  ...(['to-remote-safe', 'to-remote-mirror', 'to-local-safe', 'to-local-mirror'] as const),
] as const

/** What the user asked for: a local directory, a directory in containers, which containers, and how. */
export const specSchema = v.pipe(
  v.strictObject({
    name,
    /** Absolute path of a directory on this machine. */
    local: v.pipe(text, v.regex(/^(\/|[A-Za-z]:[\\/])/, 'local must be an absolute path')),
    /** Absolute path inside the containers. */
    remote: v.pipe(text, v.startsWith('/', 'remote must be an absolute path')),
    /** The kubeconfig context and namespace, frozen when the spec was created. */
    context: text,
    namespace: text,
    /** Exactly one of the two tells which pods. */
    selector: v.optional(text),
    pod: v.optional(text),
    /** The container's name; without it the pod's default container (or its first). */
    container: v.optional(text),
    /** Which of the pods that match: all, unless it says `leader`. */
    pods: v.optional(v.picklist(['all', 'leader'])),
    /** Whether changes travel both ways with every pod, and not with the leader alone. */
    twoWayAll: v.optional(v.boolean()),
    mode: v.optional(v.picklist(modes), 'two-way-safe'),
    /** What happens to what differs when the two sides meet; each mode has a default. */
    firstContact: v.optional(v.picklist(['merge', 'local', 'remote', 'newest', 'keep-both'])),
    /** How containers are reached: by the agents on the nodes, unless it says otherwise. */
    agent: v.optional(v.picklist(['daemonset', 'ephemeral'])),
    /** The image of ephemeral containers. */
    agentImage: v.optional(v.pipe(text, v.regex(imageName, 'not the name of an image'))),
    /** What is done in a container after changes from this machine; nothing unless given. */
    reload: v.optional(
      v.pipe(
        text,
        v.check((how) => parseReload(how) !== undefined, `reload is ${reloadWords}`),
      ),
    ),
    /** Which changes count for that: all, unless given. */
    reloadOn: v.optional(patterns),
    /** What is ignored on both sides, besides what `.ksyncignore` says. */
    ignore: v.optional(patterns),
    /** Whether what version control keeps for itself (`.git`, …) is ignored: yes, unless it is false. */
    ignoreVcs: v.optional(v.boolean()),
    /** Whether `.gitignore` counts as well. */
    useGitignore: v.optional(v.boolean()),
    /** What is never sent to the containers, and what is never brought here. */
    /** What becomes of symlinks: those that mean the same on both sides are synced, unless it says otherwise. */
    symlinks: v.optional(v.picklist(['portable', 'raw', 'ignore'])),
    /** Whose new files in the containers are, `UID` or `UID:GID`; the container's user's unless given. */
    owner: v.optional(
      v.pipe(digits, v.regex(/^\d{1,9}(:\d{1,9})?$/, 'an owner is a UID, or a UID:GID, in numbers')),
    ),
    /** The permissions of new files and of new directories there, in octal. */
    fileMode: v.optional(v.pipe(digits, v.regex(/^0?[67][0-7]{2}$/, 'file permissions are like 640'))),
    dirMode: v.optional(v.pipe(digits, v.regex(/^0?7[0-7]{2}$/, 'directory permissions are like 750'))),
    noUpload: v.optional(patterns),
    noDownload: v.optional(patterns),
  }),
  v.check(
    (spec) => (spec.selector === undefined) !== (spec.pod === undefined),
    'a spec has either a selector or a pod',
  ),
  v.check(
    ({ twoWayAll, pods, mode }) => twoWayAll !== true || (pods !== 'leader' && mode.startsWith('two-way')),
    'twoWayAll needs all pods and a two-way mode',
  ),
)

export type Spec = v.InferOutput<typeof specSchema>
