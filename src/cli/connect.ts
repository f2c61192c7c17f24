import { KubeClient } from '../kube/client.ts'
import { loadContext } from '../kube/config.ts'
import type { Cli } from './io.ts'
import type { KubeOptions } from './options.ts'

type Which = { readonly [Name in keyof KubeOptions]?: KubeOptions[Name] | undefined }

/** A client for the cluster that the command line, or the environment, means. */
export async function connect({ io }: Cli, { kubeconfig, context, namespace }: Which): Promise<KubeClient> {
  return new KubeClient(await loadContext({ kubeconfig, context, namespace, env: io.env }))
}
