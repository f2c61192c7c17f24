import { errnoOf, messageOf } from '../../errors.ts'
import type { Problem } from '../operation.ts'
import type { Path } from '../tree.ts'

/** A problem whose path is known from elsewhere. */
export type Refusal = Omit<Problem, 'path'>

/** What the usual errors mean to a person; `who` is who was refused. */
const meanings: Readonly<Record<string, (who: string) => string>> = {
  EACCES: (who) => `${who} has no permission`,
  EPERM: (who) => `${who} is not permitted`,
  EROFS: () => 'the filesystem is read-only',
  ENOSPC: () => 'no space is left on the device',
  EDQUOT: () => 'the disk quota is used up',
  EIO: () => 'the device failed',
  EMFILE: () => 'too many files are open',
  ENFILE: () => 'too many files are open on the machine',
  ENAMETOOLONG: () => 'the name is too long for the filesystem',
  EFBIG: () => 'the file is too large for the filesystem',
  ETXTBSY: () => 'the file is being executed',
}

/**
 * What a system error means for a path.
 * @param action completes "cannot be": `read`, `written`
 */
export function refusalOf(error: unknown, action: string): Refusal {
  const code = errnoOf(error) ?? 'UNKNOWN'
  const meaning = meanings[code]?.(`uid ${process.geteuid?.() ?? 'of this user'}`) ?? messageOf(error)
  return { code, message: `cannot be ${action}: ${meaning}` }
}

export function problemAt(path: Path, { code, message }: Refusal): Problem {
  return { path, code, message }
}
