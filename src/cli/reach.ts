import { defaultNamespace } from '../agent/install/objects.ts'
import { whyUnreachable } from '../agent/reach.ts'
import type { Spec } from '../config/spec.ts'
import { confirm } from './ask.ts'
import { connect } from './connect.ts'
import type { Cli } from './io.ts'

interface Known {
  /** Namespaces of agents, by context. */
  readonly agents: Readonly<Record<string, string>>
  readonly kubeconfig: string | undefined
  /** The configuration file, as `--config` names it. */
  readonly config: string | undefined
}

/** The spec, as its containers can be reached; asks whether that may be another way. Rejects when there is none. */
export async function reachable(cli: Cli, spec: Spec, { agents, kubeconfig, config }: Known): Promise<Spec> {
  const { context, namespace, agent = 'daemonset' } = spec
  const client = await connect(cli, { kubeconfig, context, config })
  try {
    const agentNamespace = agents[context] ?? defaultNamespace
    const found = await whyUnreachable(client, { namespace, agentNamespace, agent })
    if (found === undefined) return spec
    if (!found.offer || cli.io.ask === undefined) throw found.error
    const question = `${found.error.message}. Add an ephemeral container to each pod instead?`
    if (!(await confirm(cli.io.ask, question))) throw found.error
    return { ...spec, agent: 'ephemeral' }
  } finally {
    client.close()
  }
}
