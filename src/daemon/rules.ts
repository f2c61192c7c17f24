import type { Spec } from '../config/spec.ts'
import type { RuleFileKind } from '../files/ignore/rule-set.ts'
import { ruleFileName } from '../files/replica/rule-files.ts'
import type { RulesToFollow } from '../files/replica/ruling.ts'
import type { Exclusions } from '../files/ways.ts'

type Words = Pick<Spec, 'ignore' | 'ignoreVcs' | 'useGitignore' | 'noUpload' | 'noDownload'>

/** What the folder here is to ignore; it finds the rest in its own rule files. */
export function ordersOf({ ignore = [], ignoreVcs = true, useGitignore = false }: Words): RulesToFollow {
  const reads: RuleFileKind[] = useGitignore ? ['ksyncignore', 'gitignore', 'exclude'] : ['ksyncignore']
  return { rules: { patterns: ignore, vcs: ignoreVcs, files: [] }, reads }
}

/**
 * What travels one way only. Rule files are the laptop's: a container that could write them would decide what it is
 * sent.
 */
export function exclusionsOf({ useGitignore = false, noUpload = [], noDownload = [] }: Words): Exclusions {
  const ruleFiles = [ruleFileName('ksyncignore'), ...(useGitignore ? [ruleFileName('gitignore')] : [])]
  return { upload: noUpload, download: [...ruleFiles, ...noDownload] }
}
