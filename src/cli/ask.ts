import { createInterface } from 'node:readline'

/** Asks a question and resolves with the line that answers it, trimmed; undefined when nobody will answer any more. */
export type Ask = (question: string) => Promise<string | undefined>

/**
 * Asks the person at the terminal, whose lines are read in the order in which they were typed, also ahead of the
 * questions. Rejects with the signal's reason when that is aborted.
 */
export function personAt(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Ask {
  let lines: AsyncIterator<string> | undefined
  let ended: Promise<never> | undefined
  return async (question) => {
    output.write(`${question} `)
    // The terminal itself edits lines and turns ^C into a signal, as it does for any program.
    lines ??= createInterface({ input, terminal: false })[Symbol.asyncIterator]()
    // One for all questions: each would add a listener to the signal.
    ended ??= aborted(signal)
    const line = await Promise.race([lines.next(), ended]).catch((error: unknown) => {
      output.write('\n')
      throw error
    })
    if (!line.done) return line.value.trim()
    // Nobody ended the line of the question.
    output.write('\n')
    return undefined
  }
}

/** Asks what is answered with yes or no; anything but yes is no. */
export async function confirm(ask: Ask, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N]`)) ?? '')
}

function aborted(signal: AbortSignal): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  // Nobody may be waiting for an answer then.
  ended.catch(() => {})
  return ended
}
