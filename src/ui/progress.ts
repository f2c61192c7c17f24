import { truncate } from './text.ts'

/** Where progress goes: `process.stderr`, or what stands for it in a test. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What is going on now, on one line; and lines that stay. */
export interface Progress {
  /**
   * Shows what is going on now; empty for nothing. A terminal shows it at once, in the place of what was
   * before; elsewhere it becomes a line now and then, if it has not changed back or ended by then.
   */
  update(text: string): void
  /** Prints a line that stays. */
  line(text: string): void
  /** Takes away what `update` showed. */
  done(): void
}

export interface ProgressOptions {
  /** Milliseconds to the first update that is printed where there is no terminal. */
  readonly firstMs?: number
  /** Milliseconds from one such line to the next. */
  readonly everyMs?: number
}

const eraseLine = '\r\x1b[K'

/** One updating line on a terminal, occasional lines elsewhere. Text must be printable already. */
export function createProgress(stream: ProgressStream, options: ProgressOptions = {}): Progress {
  return stream.isTTY === true ? terminalProgress(stream) : plainProgress(stream, options)
}

function terminalProgress(stream: ProgressStream): Progress {
  let shown = ''
  function show(text: string): void {
    if (text === shown) return
    // A terminal that does not know its width says 0.
    stream.write(text === '' ? eraseLine : eraseLine + truncate(text, (stream.columns || 80) - 1))
    shown = text
  }
  return {
    update: show,
    line(text) {
      const current = shown
      show('')
      stream.write(`${text}\n`)
      show(current)
    },
    done: () => show(''),
  }
}

function plainProgress(
  stream: ProgressStream,
  { firstMs = 1_000, everyMs = 10_000 }: ProgressOptions,
): Progress {
  let current = ''
  let printed = ''
  let timer: NodeJS.Timeout | undefined
  let pause = firstMs
  function print(): void {
    timer = undefined
    if (current === '' || current === printed) return
    stream.write(`${current}\n`)
    printed = current
    pause = everyMs
  }
  return {
    update(text) {
      current = text
      timer ??= setTimeout(print, pause).unref()
    },
    line: (text) => void stream.write(`${text}\n`),
    done() {
      clearTimeout(timer)
      timer = undefined
      current = ''
    },
  }
}
