import { type Mode, writesTo } from '../files/mode.ts'

/** What a person does to settle a conflict: a clause. Where only one side is written, only the other can win. */
export function describeSettling(mode: Mode = 'two-way-safe'): string {
  const where = writesTo(mode, 'local') ? 'on this machine' : 'in the container'
  const isOneWay = !(writesTo(mode, 'local') && writesTo(mode, 'remote'))
  const which = isOneWay ? where : 'that you do not want'
  return `delete the version ${which}: the other one takes its place`
}
