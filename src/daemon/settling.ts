import type { Mode } from '../files/mode.ts'

/** What a person does to settle a conflict: a clause. Where only one side is written, only the other can win. */
export function describeSettling(mode: Mode = 'two-way-safe'): string {
  const place = {
    'two-way-safe': '',
    'to-remote-safe': ' in the container',
    'to-local-safe': ' on this machine',
  }[mode]
  if (place === '') return 'delete the version that you do not want: the other one takes its place'
  return `delete the version${place}: the other one takes its place`
}
