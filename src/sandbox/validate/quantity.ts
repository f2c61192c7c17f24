import { badRequest } from '../failure.ts'

const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/
const nanos = 10n ** 9n

/**
 * A quantity as Kubernetes writes it: no fraction, the largest suffix that allows that, in the family it was given in. `0.5` is
 * `500m`, `1024Mi` is `1Gi`. Nothing is finer than a billionth; what is finer is rounded up. After apimachinery's `resource.Quantity`.
 */
export function canonicalQuantity(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  const match = typeof text === 'string' ? pattern.exec(text.trim()) : null
  if (match === null || `${match[2] ?? ''}${match[3] ?? ''}` === '') {
    throw badRequest(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  }
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent] = match
  const amount = inNanos(`${whole}${fraction}`, {
    fraction: fraction.length,
    suffix,
    exponent: Number(exponent ?? 0),
  })
  const written = exponent === undefined ? inSuffixes(amount, suffix) : inExponents(amount)
  return sign === '-' && amount !== 0n ? `-${written}` : written
}

interface Scale {
  readonly fraction: number
  readonly suffix: string
  readonly exponent: number
}

function inNanos(digits: string, { fraction, suffix, exponent }: Scale): bigint {
  const power = (suffix.endsWith('i') ? 0 : (decimal.indexOf(suffix) - 3) * 3) + exponent + 9 - fraction
  const factor = suffix.endsWith('i') ? 1024n ** BigInt(binary.indexOf(suffix)) : 1n
  const amount = BigInt(digits) * factor
  if (power >= 0) return amount * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (amount + divisor - 1n) / divisor
}

function inSuffixes(amount: bigint, suffix: string): string {
  if (suffix.endsWith('i') && amount % nanos === 0n && amount >= nanos * 1024n) {
    const power = largest(amount / nanos, { base: 1024n, limit: binary.length - 1 })
    return `${amount / nanos / 1024n ** BigInt(power)}${binary[power]}`
  }
  const power = largest(amount, { base: 1000n, limit: decimal.length - 1 })
  return amount === 0n ? '0' : `${amount / 1000n ** BigInt(power)}${decimal[power]}`
}

function inExponents(amount: bigint): string {
  if (amount === 0n) return '0'
  const power = largest(amount, { base: 1000n, limit: 100 })
  const exponent = power * 3 - 9
  return `${amount / 1000n ** BigInt(power)}${exponent === 0 ? '' : `e${exponent}`}`
}

function largest(amount: bigint, { base, limit }: { base: bigint; limit: number }): number {
  let power = 0
  while (power < limit && amount !== 0n && amount % base ** BigInt(power + 1) === 0n) power += 1
  return power
}
