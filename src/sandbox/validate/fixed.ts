import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, type KubeObject } from '../object.ts'
import { invalidValue } from './causes.ts'

/** What is wrong with a kind's own fields, and with how they changed. */
export type KindCheck = (object: KubeObject, previous: KubeObject | undefined) => Cause[]

/** A field of the spec that stays what it is. */
export function fixed(field: string): KindCheck {
  return (object, previous) =>
    unchanged(`spec.${field}`, at(object, 'spec', field), previous && [at(previous, 'spec', field)])
}

export function fixedRoot(field: string, why?: string): KindCheck {
  return (object, previous) => unchanged(field, object[field], previous && [previous[field]], why)
}

function unchanged(
  path: string,
  value: unknown,
  former: unknown[] | undefined,
  why = 'field is immutable',
): Cause[] {
  return former === undefined || isDeepStrictEqual(value, former[0]) ? [] : [invalidValue(path, value, why)]
}
