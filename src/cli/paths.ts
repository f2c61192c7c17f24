import { resolve } from 'node:path'
import { findPaths, type Paths } from '../config/paths.ts'
import type { Cli } from './io.ts'
import type { ConfigOptions } from './options.ts'

/** Where kubesync's own files are for this command line. */
export function pathsOf({ io }: Cli, { config }: ConfigOptions): Paths {
  return findPaths({ env: io.env, ...(config === undefined ? {} : { config: resolve(io.cwd, config) }) })
}
