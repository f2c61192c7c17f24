import { errnoOf } from '../../errors.ts'
import { MAX_RULE_FILE, type RuleFileKind } from '../ignore/rule-set.ts'
import { type Dir, using } from './dir.ts'
import { type Refusal, refusalOf } from './refusal.ts'

/** What a rule file says; undefined if it is not there. One that cannot be read is refused. */
export type FoundRules = { readonly text: string } | { readonly refusal: Refusal } | undefined

/** The names of rule files that are in the directory they count from. */
const names = { ksyncignore: '.ksyncignore', gitignore: '.gitignore' } as const

/** The name of a rule file in its directory. */
export function ruleFileName(kind: keyof typeof names): string {
  return names[kind]
}

/** Which kind of rule file a name is of. */
export function ruleFileKind(name: string): RuleFileKind | undefined {
  if (name === names.ksyncignore) return 'ksyncignore'
  return name === names.gitignore ? 'gitignore' : undefined
}

/** Reads a directory's rule file of a kind. */
export function readRules(dir: Dir, kind: RuleFileKind): FoundRules {
  return kind === 'exclude' ? readExclude(dir) : readFile(dir, names[kind])
}

/** git has it beside the repository; whatever is in the way, there is none then. */
function readExclude(root: Dir): FoundRules {
  try {
    const found = using(root.openDir('.git'), (git) =>
      using(git.openDir('info'), (info) => readFile(info, 'exclude')),
    )
    return found === undefined || 'refusal' in found ? undefined : found
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

function readFile(dir: Dir, name: string): FoundRules {
  try {
    const stats = dir.lstat(name)
    if (stats === undefined || stats.isDirectory()) return undefined
    if (!stats.isFile()) return refused('is no regular file')
    if (stats.size > MAX_RULE_FILE) return refused(`is larger than ${MAX_RULE_FILE / 1024} KiB`)
    return using(dir.openFile(name, 'read'), (file) => {
      const bytes = Buffer.alloc(stats.size)
      return { text: bytes.toString('utf8', 0, file.read(bytes)) }
    })
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    return code === 'ENOENT' ? undefined : { refusal: closed(refusalOf(error, 'read').message) }
  }
}

function refused(message: string): FoundRules {
  return { refusal: closed(message) }
}

/** Who cannot tell what is to be ignored syncs nothing, rather than what was never to leave. */
export function closed(message: string): Refusal {
  return { code: 'RULES_UNREADABLE', message: `${message}; nothing in its folder is synced meanwhile` }
}
