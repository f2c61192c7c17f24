import type { Spec } from '../config/spec.ts'
import type { RuleFileKind } from '../files/ignore/rule-set.ts'
import type { Attributes } from '../files/replica/attributes.ts'
import { ruleFileName } from '../files/replica/rule-files.ts'
import type { RulesToFollow } from '../files/replica/ruling.ts'
import type { Exclusions } from '../files/ways.ts'

type Words = Pick<Spec, 'ignore' | 'ignoreVcs' | 'useGitignore' | 'symlinks' | 'noUpload' | 'noDownload'>

/** What the folder here is to ignore; it finds the rest in its own rule files. */
export function ordersOf({
  ignore = [],
  ignoreVcs = true,
  useGitignore = false,
  symlinks,
}: Words): RulesToFollow {
  const reads: RuleFileKind[] = useGitignore ? ['ksyncignore', 'gitignore', 'exclude'] : ['ksyncignore']
  const links = symlinks === undefined || symlinks === 'portable' ? {} : { symlinks }
  return { rules: { patterns: ignore, vcs: ignoreVcs, ...links, files: [] }, reads }
}

/** What new files and directories get in the containers. */
export function attributesOf({
  owner,
  fileMode,
  dirMode,
}: Pick<Spec, 'owner' | 'fileMode' | 'dirMode'>): Attributes {
  const [uid, gid] = owner?.split(':').map(Number) ?? []
  return {
    ...(uid !== undefined && { owner: gid === undefined ? { uid } : { uid, gid } }),
    ...(fileMode !== undefined && { fileMode: Number.parseInt(fileMode, 8) }),
    ...(dirMode !== undefined && { dirMode: Number.parseInt(dirMode, 8) }),
  }
}

/**
 * What travels one way only. Rule files are the laptop's: a container that could write them would decide what it is
 * sent.
 */
export function exclusionsOf({ useGitignore = false, noUpload = [], noDownload = [] }: Words): Exclusions {
  const ruleFiles = [ruleFileName('ksyncignore'), ...(useGitignore ? [ruleFileName('gitignore')] : [])]
  return { upload: noUpload, download: [...ruleFiles, ...noDownload] }
}
