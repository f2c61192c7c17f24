import { draw, keysIn, type PickItem, type Picking, press } from '../ui/picker.ts'
import { styleFor } from '../ui/style.ts'
import { printable } from '../ui/text.ts'
import type { Io } from './io.ts'

/** A terminal whose keys come one by one. */
export interface Keyboard {
  /** Begins to listen; what it returns ends that, and gives lines back to the terminal. */
  listen(onData: (data: string) => void): () => void
}

/** The keyboard of a terminal. */
export function keyboardOf(input: NodeJS.ReadStream): Keyboard {
  return {
    listen(onData) {
      input.setRawMode(true).setEncoding('utf8').on('data', onData).resume()
      return () => void input.off('data', onData).setRawMode(false).pause()
    },
  }
}

interface PickOptions {
  readonly title: string
  readonly items: readonly PickItem[]
  /** Finds out more about the items while the person looks at them; what it says appears beside them. */
  readonly about?: (tell: (name: string, note: string) => void, signal: AbortSignal) => void
}

/** How many items are shown at once, and less in a low terminal. */
const height = 12

/**
 * Has a person pick one of a list, by arrow keys and by typing. Undefined if the person leaves; rejects with the reason of the
 * command's signal.
 */
export function pick(
  { stderr, signal }: Io,
  keyboard: Keyboard,
  options: PickOptions,
): Promise<string | undefined> {
  const { title, about } = options
  let items = options.items
  let state: Picking = { filter: '', at: 0 }
  let shown = 0
  const style = styleFor(stderr)
  const rows = Math.max(1, Math.min(height, (stderr.rows || 24) - 3))
  const erase = () => (shown === 0 ? '' : `${shown > 1 ? `\x1b[${shown - 1}A` : ''}\r\x1b[J`)
  const show = () => {
    const lines = draw(state, items, { title, columns: stderr.columns || 80, height: rows, style })
    stderr.write(erase() + lines.join('\n'))
    shown = lines.length
  }
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const end = (settle: () => void, last = '') => {
      over.abort()
      stop()
      signal.removeEventListener('abort', interrupted)
      stderr.write(`${erase()}${last}`)
      settle()
    }
    const interrupted = () => end(() => reject(signal.reason))
    const stop = keyboard.listen((data) => {
      for (const key of keysIn(data)) {
        const pressed = press(state, key, items)
        if ('next' in pressed) state = pressed.next
        else {
          const { picked } = pressed
          return end(() => resolve(picked), picked === undefined ? '' : `${title} ${printable(picked)}\n`)
        }
      }
      show()
    })
    signal.addEventListener('abort', interrupted, { once: true })
    show()
    about?.((name, note) => {
      items = items.map((item) => (item.name === name ? { name, note } : item))
      if (!over.signal.aborted) show()
    }, over.signal)
  })
}
