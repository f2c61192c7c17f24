import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { reapNode } from './node/node.ts'

/** Where the nodes of a sandbox keep their containers. */
export function nodesDir(dir: string): string {
  return join(dir, 'nodes')
}

/**
 * Ends the processes that a sandbox of this directory left, and removes its state; false if there is none. Nobody may be
 * using the directory.
 */
export function removeLeftovers(dir: string): boolean {
  const nodes = nodesDir(dir)
  for (const name of existsSync(nodes) ? readdirSync(nodes) : []) reapNode(join(nodes, name))
  const left = existsSync(dir)
  rmSync(dir, { recursive: true, force: true })
  return left
}
