import type { Style } from '../../ui/style.ts'
import type { Ask } from '../ask.ts'

/** Somebody who is shown text and answers questions. */
export interface Person {
  readonly ask: Ask
  readonly print: (text: string) => void
  readonly style: Style
}

/** Asks until the answer is one of those offered, which Enter means if it is in upper case; `?` and what nobody understands is answered with what they mean. */
export async function answered(
  { ask, print }: Person,
  question: string,
  answers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const keys = Object.keys(answers)
  const asked = question.endsWith(']') ? question : `${question} [${keys.join(',')},?]`
  for (;;) {
    const answer = (await ask(asked))?.toLowerCase()
    if (answer === undefined) return undefined
    const key = keys.find((one) => {
      if (answer === '') return one !== one.toLowerCase()
      return answer === one.toLowerCase() || (answers[one] ?? '').startsWith(`${answer}:`)
    })
    if (key !== undefined) return key.toLowerCase()
    print(keys.map((one) => `  ${one}  ${answers[one]}\n`).join(''))
  }
}
