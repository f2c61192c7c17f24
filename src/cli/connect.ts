import { KubeClient } from '../kube/client.ts'
import type { Pin } from '../manifests/folder/pin.ts'
import type { Cli } from './io.ts'
import { findWhere, type Which } from './where.ts'

/** A client for the cluster that the command line, the folder, the configuration or the kubeconfig means. */
export async function connect(cli: Cli, which: Which, pin?: Pin): Promise<KubeClient> {
  return new KubeClient((await findWhere(cli, which, pin)).context)
}
