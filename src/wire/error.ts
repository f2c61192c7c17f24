import { KubesyncError } from '../errors.ts'

/** What came over a wire, or from a file written in the same format, is not what it should be. Code `WIRE_BROKEN`. */
export class WireError extends KubesyncError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('WIRE_BROKEN', message, options)
  }
}
