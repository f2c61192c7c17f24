const minute = 60
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/** A time span in the two units that tell most, as kubectl prints ages (k8s.io/apimachinery/pkg/util/duration). */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  const whole = (unit: number) => Math.trunc(seconds / unit)
  const both = (unit: number, name: string, [small, of]: readonly [number, string]) => {
    const rest = Math.trunc((seconds % unit) / small)
    return rest === 0 ? `${whole(unit)}${name}` : `${whole(unit)}${name}${rest}${of}`
  }
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * minute) return `${seconds}s`
  if (seconds < 10 * minute) return both(minute, 'm', [1, 's'])
  if (seconds < 3 * hour) return `${whole(minute)}m`
  if (seconds < 8 * hour) return both(hour, 'h', [minute, 'm'])
  if (seconds < 2 * day) return `${whole(hour)}h`
  if (seconds < 8 * day) return both(day, 'd', [hour, 'h'])
  if (seconds < 2 * year) return `${whole(day)}d`
  if (seconds < 8 * year) return both(year, 'y', [day, 'd'])
  return `${whole(year)}y`
}

/** How long ago a time of the API was; `<unknown>` without one. */
export function ageOf(time: unknown, now: Date): string {
  return typeof time === 'string' ? humanDuration(now.getTime() - Date.parse(time)) : '<unknown>'
}
