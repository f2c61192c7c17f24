import { ApiFailure } from '../failure.ts'

/** What the API says when it refuses some work; undefined if it does not. */
export function refusal(work: () => void): ApiFailure | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof ApiFailure) return error
    throw error
  }
}
