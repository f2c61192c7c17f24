/** What is done in a container after changes that came from this machine. */
export type Reload =
  | { readonly kind: 'none' | 'restart' | 'restart-container' }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] }

export const reloadWords = 'none, signal:HUP, exec:COMMAND, restart or restart-container'

/**
 * Reads what `--reload` says; undefined if it says nothing known. A command is a shell's, unless it is a JSON array of
 * program and arguments.
 */
export function parseReload(text: string): Reload | undefined {
  if (text === 'none' || text === 'restart' || text === 'restart-container') return { kind: text }
  const [, kind, rest = ''] = /^(signal|exec):\s*(\S.*)$/s.exec(text) ?? []
  if (kind === 'exec') return commandOf(rest)
  const name = /^(?:SIG)?([A-Z][A-Z0-9+]*)$/i.exec(rest)?.[1]
  return kind === 'signal' && name !== undefined ? { kind, signal: `SIG${name.toUpperCase()}` } : undefined
}

function commandOf(text: string): Reload | undefined {
  if (!text.startsWith('[')) return { kind: 'exec', command: ['sh', '-c', text] }
  const command = listOf(text)
  return command.length === 0 ? undefined : { kind: 'exec', command }
}

function listOf(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : []
  } catch {
    return []
  }
}
