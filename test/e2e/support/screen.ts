import type { Running } from './run.ts'
import { until } from './until.ts'

/** What is on the screen of a terminal since it was answered last. */
export class Screen {
  readonly terminal: Running
  private from = 0

  constructor(terminal: Running) {
    this.terminal = terminal
  }

  asks(question: RegExp): Promise<string> {
    return until(`it asks ${question}`, () => this.terminal.stdout.slice(this.from), {
      holds: (screen) => question.test(screen),
    })
  }

  answer(line: string): void {
    this.press(`${line}\n`)
  }

  press(keys: string): void {
    this.from = this.terminal.stdout.length
    this.terminal.child.stdin.write(keys)
  }
}
