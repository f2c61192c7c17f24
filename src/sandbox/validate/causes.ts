import type { Cause } from '../failure.ts'

const cause =
  (reason: string, what: string) =>
  (field: string, said: string): Cause => ({
    reason,
    message: said === '' ? what : `${what}: ${said}`,
    field,
  })

/** What is wrong with a field, as apimachinery's `field.Error` words it. */
export const required = (field: string, why = ''): Cause =>
  cause('FieldValueRequired', 'Required value')(field, why)

export const invalidValue = (field: string, value: unknown, why: string): Cause =>
  cause('FieldValueInvalid', 'Invalid value')(field, `${JSON.stringify(value)}: ${why}`)

export const forbiddenField = cause('FieldValueForbidden', 'Forbidden')

export const duplicate = (field: string, value: unknown): Cause =>
  cause('FieldValueDuplicate', 'Duplicate value')(field, JSON.stringify(value))

export const notFoundValue = (field: string, value: unknown): Cause =>
  cause('FieldValueNotFound', 'Not found')(field, JSON.stringify(value))

export const unsupported = (field: string, value: unknown, supported: readonly unknown[]): Cause => {
  const values = supported.map((one) => JSON.stringify(String(one))).join(', ')
  const said = `${JSON.stringify(value)}: supported values: ${values}`
  return cause('FieldValueNotSupported', 'Unsupported value')(field, said)
}
