import { Option } from 'commander'
import type { Spec } from '../config/spec.ts'
import { type FirstContact, firstContacts, type Mode, modes } from '../files/mode.ts'
import { parseOwner, parsePattern, parsePermissions } from './values.ts'

export interface KubeconfigOptions {
  readonly kubeconfig?: string
}

/** Which cluster and namespace, in kubectl's words. */
export interface KubeOptions extends KubeconfigOptions {
  readonly context?: string
  readonly namespace?: string
}

export interface ConfigOptions {
  readonly config?: string
}

export type OutputFormat = 'json' | 'yaml' | 'wide' | 'name'

export function kubeOptions(namespace = "instead of the context's namespace"): Option[] {
  return [new Option('-n, --namespace <name>', namespace), ...contextOptions()]
}

export function contextOptions(): Option[] {
  return [new Option('-c, --context <name>', 'instead of the current context'), ...kubeconfigOptions()]
}

export function kubeconfigOptions(): Option[] {
  return [new Option('--kubeconfig <path>', 'instead of $KUBECONFIG or ~/.kube/config')]
}

export function configOptions(): Option[] {
  return [new Option('--config <path>', 'instead of $KUBESYNC_CONFIG or ~/.kubesync/config')]
}

/** What commands take that write to a cluster. */
export interface ConfirmOptions {
  readonly confirmContext?: string
}

export function confirmOption(): Option {
  return new Option('--confirm-context <name>', 'the name of a protected context that is meant')
}

export function verboseOption(): Option {
  return new Option('-v, --verbose', 'say more, such as where an error comes from')
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml', 'wide', 'name'])
}

/** How containers are reached. */
export interface AgentOptions {
  readonly agent?: NonNullable<Spec['agent']>
  readonly agentImage?: string
}

/** A spec's flags, shared by `create` and `run`. */
export interface SpecOptions extends KubeOptions, AgentOptions {
  readonly selector?: string
  readonly pod?: string
  readonly container?: string
  readonly pods?: 'all' | 'leader'
  readonly twoWayAll?: true
  readonly mode?: Mode
  readonly firstContact?: FirstContact
  readonly localReadOnly?: true
  readonly remoteReadOnly?: true
  readonly reload?: string
  readonly reloadOn?: readonly string[]
  readonly name?: string
  readonly ignore?: readonly string[]
  readonly ignoreVcs?: boolean
  readonly useGitignore?: true
  readonly symlinks?: NonNullable<Spec['symlinks']>
  readonly owner?: string
  readonly fileMode?: string
  readonly dirMode?: string
  readonly noUpload?: readonly string[]
  readonly noDownload?: readonly string[]
}

export function specOptions(): Option[] {
  return [
    ...podOptions(),
    new Option(
      '--pods <which>',
      'of several pods: `all`, which is so unless you say, or only their `leader`',
    ).choices(['all', 'leader']),
    new Option('--two-way-all', 'bring here what changes in any pod, not in the leader alone'),
    new Option('--mode <mode>', 'which way changes travel, and what wins').choices(modes),
    new Option('--first-contact <policy>', 'what to do with what differs when both sides meet').choices(
      firstContacts,
    ),
    new Option('--local-read-only', 'never write here: the same as --mode to-remote-safe'),
    new Option('--remote-read-only', 'never write there: the same as --mode to-local-safe'),
    ...ignoreOptions(),
    ...attributeOptions(),
    ...agentOptions(),
    ...reloadOptions(),
    new Option('--name <name>', 'name of the spec; one is made up unless given'),
  ]
}

/** What is done in a container after changes. */
function reloadOptions(): Option[] {
  const how = '`restart` its process in place, `restart-container`, `signal:HUP` or `exec:COMMAND`'
  return [
    new Option('--reload <how>', `after changes from here: ${how}; \`none\` unless given`),
    patternOption('--reload-on <pattern>', 'only after changes of these, in the syntax of .gitignore'),
  ]
}

export function agentOptions(): Option[] {
  return [
    new Option(
      '--agent <kind>',
      '`ephemeral`: through an ephemeral container in each pod, without `init`; else `daemonset`',
    ).choices(['daemonset', 'ephemeral']),
    new Option('--agent-image <image>', 'of ephemeral containers: one with Node 20 or newer'),
  ]
}

/** What is not synced, in the syntax of .gitignore. */
function ignoreOptions(): Option[] {
  return [
    patternOption('--ignore <pattern>', 'leave alone on both sides; `!` before it takes back'),
    new Option('--ignore-vcs', 'leave .git and the like alone, which is so unless you say:'),
    new Option('--no-ignore-vcs', 'sync .git too: what a container writes there can run here'),
    new Option('--use-gitignore', 'leave alone what .gitignore says'),
    patternOption('--no-upload <pattern>', 'never send to the containers'),
    patternOption('--no-download <pattern>', 'never bring here'),
  ]
}

/** What is kept of files beside their content. */
function attributeOptions(): Option[] {
  return [
    new Option(
      '--symlinks <how>',
      '`portable`, which is so unless you say: those that mean the same on both sides; `raw`: all, as they are; or `ignore`',
    ).choices(['portable', 'raw', 'ignore']),
    new Option(
      '--owner <uid[:gid]>',
      "whose new files in the containers are, instead of the container's user",
    ).argParser(parseOwner),
    new Option('--file-mode <octal>', 'permissions of new files there, such as 640').argParser(
      parsePermissions('files'),
    ),
    new Option('--dir-mode <octal>', 'permissions of new directories there, such as 750').argParser(
      parsePermissions('directories'),
    ),
  ]
}

/** A flag that may be given several times. */
function patternOption(flags: string, words: string): Option {
  const option = new Option(flags, `${words} (may be repeated)`)
  // commander would take `--no-…` for the opposite of another flag.
  option.negate = false
  return option.argParser((pattern: string, before?: readonly string[]) => [
    ...(before ?? []),
    parsePattern(pattern),
  ])
}

/** Which containers. */
export function podOptions(): Option[] {
  return [
    new Option('-l, --selector <labels>', 'all pods with these labels, such as app=demo'),
    new Option('--pod <name>', 'one pod, by name'),
    new Option('--container <name>', 'a container of the pod, instead of its default or first one'),
  ]
}
