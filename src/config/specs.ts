import { randomInt } from 'node:crypto'
import { KubesyncError } from '../errors.ts'
import type { Spec } from './spec.ts'

/** The parts of a spec that tell what it touches. */
export type Reach = Omit<Spec, 'name'>

/**
 * Refuses a spec that could write where another one reads or writes (SPEC_OVERLAPS, naming it): their
 * changes would chase each other.
 */
export function refuseOverlap(spec: Reach, others: readonly Spec[]): void {
  for (const other of others) {
    const where = overlap(spec, other)
    if (where === undefined) continue
    throw new KubesyncError('SPEC_OVERLAPS', `${where} overlaps with that of ${other.name}`, {
      hint: `delete it first (ksync delete ${other.name}), choose other folders, or insist with --force`,
    })
  }
}

/** Which folder two specs share, as words for a message; undefined when they cannot meet. */
export function overlap(one: Reach, other: Reach): string | undefined {
  const writesLocal = writes(one, 'local') || writes(other, 'local')
  if (writesLocal && nested(localParts(one.local), localParts(other.local))) {
    return `the local folder ${one.local}`
  }
  const writesRemote = writes(one, 'remote') || writes(other, 'remote')
  if (writesRemote && mayShareContainer(one, other) && nested(parts(one.remote), parts(other.remote))) {
    return `the remote folder ${one.remote}`
  }
  return undefined
}

function writes({ mode }: Reach, side: 'local' | 'remote'): boolean {
  return mode.startsWith('two-way') || mode.startsWith(`to-${side}`)
}

/** One is the other, or lies inside it. */
function nested(one: readonly string[], other: readonly string[]): boolean {
  const depth = Math.min(one.length, other.length)
  return one.slice(0, depth).every((part, index) => part === other[index])
}

function localParts(path: string): readonly string[] {
  return parts(path.startsWith('/') ? path : path.replaceAll('\\', '/').toLowerCase())
}

/** The components of an absolute path, with `.` and `..` resolved by name. */
function parts(path: string): readonly string[] {
  const found: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') found.pop()
    else if (part !== '' && part !== '.') found.push(part)
  }
  return found
}

/** False only when no container can belong to both. */
function mayShareContainer(one: Reach, other: Reach): boolean {
  if (one.context !== other.context || one.namespace !== other.namespace) return false
  if (differ(one.container, other.container) || differ(one.pod, other.pod)) return false
  const wanted = requiredLabels(one.selector)
  return ![...requiredLabels(other.selector)].some(([key, value]) => differ(wanted.get(key), value))
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}

/** The labels that a selector wants to be equal to something; set-based requirements tell nothing here. */
function requiredLabels(selector = ''): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  for (const requirement of selector.split(',')) {
    const match = /^\s*([^\s!=()]+)\s*==?\s*([^\s=()]*)\s*$/.exec(requirement)
    if (match?.[1] !== undefined) labels.set(match[1], match[2] ?? '')
  }
  return labels
}

const adjectives =
  'able bold brave brisk calm clever cosy deft eager easy fair fine fond free glad good grand happy jolly keen kind late lively lucky mellow merry mild neat nice plain plucky proud quick quiet ready sharp shiny silent sleek smart smooth snug spry steady sunny swift tidy warm wise witty'.split(
    ' ',
  )
const animals =
  'ant bat bear bee bison boar carp cat cod crab crane crow deer dove duck eagle eel elk emu finch fox frog gecko goat goose hare hawk heron ibex jay koala lark lemur lion lynx mole moose moth newt orca otter owl panda perch pike puma raven robin seal shrew skunk sloth snail stork swan tapir tern toad trout vole wolf wren yak zebra'.split(
    ' ',
  )

/** A short friendly name, `calm-otter`, that none of the specs has. */
export function newName(others: readonly Pick<Spec, 'name'>[]): string {
  const taken = new Set(others.map(({ name }) => name))
  const tries = Array.from({ length: 20 }, () => `${anyOf(adjectives)}-${anyOf(animals)}`)
  return tries.find((name) => !taken.has(name)) ?? numbered(tries[0] ?? 'spec', taken)
}

function anyOf(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? ''
}

function numbered(name: string, taken: ReadonlySet<string>): string {
  let number = 2
  while (taken.has(`${name}-${number}`)) number += 1
  return `${name}-${number}`
}
