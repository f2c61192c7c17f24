import { Attempt, type AttemptOptions } from './attempt.ts'
import { ConfigError } from './environment.ts'
import type { Container } from './pod-spec.ts'

/** Why a container cannot be made now, as its status says it. */
export interface Waiting {
  readonly reason: 'ErrImagePull' | 'CreateContainerConfigError' | 'CreateContainerError'
  readonly message: string
}

type Sibling = (name: string) => { readonly current: Attempt | undefined } | undefined

/** Starts an attempt of a container, or says why there can be none now. `sibling` finds the pod's other containers. */
export function makeAttempt(options: Omit<AttemptOptions, 'within'>, sibling: Sibling): Attempt | Waiting {
  const message = whyNoImage(options.container)
  if (message !== undefined) return { reason: 'ErrImagePull', message }
  try {
    return new Attempt({ ...options, within: targetOf(options.container, sibling) })
  } catch (error) {
    const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : 'CreateContainerError'
    return { reason, message: error instanceof Error ? error.message : String(error) }
  }
}

/** The sandbox pulls nothing: programs are this machine's. */
function whyNoImage({ image = '', command = [] }: Container): string | undefined {
  if (/^[^/]*\.invalid(:\d+)?\//.test(image)) return `failed to resolve reference "${image}": no such host`
  if (command.length > 0) return undefined
  return `the sandbox has no images, and so does not know what to run of "${image}": give the container a command`
}

/** The container in whose root an ephemeral one runs. */
function targetOf(container: Container, sibling: Sibling): Attempt | undefined {
  const name = 'targetContainerName' in container ? container.targetContainerName : undefined
  if (name === undefined) return undefined
  const target = sibling(name)?.current
  if (target === undefined) throw new ConfigError(`container ${name} does not run`)
  return target
}
