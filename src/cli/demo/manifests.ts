import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeClient } from '../../kube/client.ts'
import { command, ksync, type Stage, say, soon, step } from './stage.ts'

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'hello' }

/** Plays the half about manifests on a stage whose cluster has the app, from hello.yaml. */
export async function playManifests(stage: Stage, client: KubeClient): Promise<void> {
  await step(stage, '7. A manifest follows its cluster')
  await pull(stage, client)
  await step(stage, '8. A deployment')
  await deploy(stage, client)
  await step(stage, '9. A promotion')
  await promote(stage, client)
  await step(stage, '10. A revert')
  await revert(stage, client)
}

async function pull(stage: Stage, client: KubeClient): Promise<void> {
  say(stage, 'Somebody changes the cluster:')
  command(stage, 'kubectl scale deployment hello --replicas=2')
  await client.patch(deployment, { spec: { replicas: 2 } })
  sayPlan(stage, await ksync(stage, 'pull', 'deployment', 'hello', '--force'))
  await sayLine(stage, 'replicas:', 'hello.yaml has it, and keeps its comments:')
}

async function deploy(stage: Stage, client: KubeClient): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'production' } })
  command(stage, 'kubectl create namespace production')
  await ksync(stage, 'push', 'hello.yaml', '--namespace=production', '--force')
  say(
    stage,
    'The same app runs in two places. A change in one of them goes into file and cluster as one step:',
  )
  sayPlan(stage, await ksync(stage, 'deploy', 'hello.yaml', '--set-env', 'GREETING=hello', '--force'))
  say(stage, 'It has rolled out.')
}

async function promote(stage: Stage, client: KubeClient): Promise<void> {
  say(stage, 'What is portable goes to production; how many run there is up to production:')
  command(stage, 'kubectl scale deployment hello --replicas=1 --namespace=production')
  await client.patch({ ...deployment, namespace: 'production' }, { spec: { replicas: 1 } })
  const { name } = client.context
  const places = [`--from=${name}/default`, `--to=${name}/production`]
  sayPlan(stage, await ksync(stage, 'promote', 'deployment/hello', ...places, '--all-portable'))
}

async function revert(stage: Stage, client: KubeClient): Promise<void> {
  say(stage, 'Every write is recorded, and any of them can be undone, here the deployment:')
  sayPlan(stage, await ksync(stage, 'revert', 'default/hello', '--force'))
  const isBack = async () => {
    const file = await readFile(join(stage.dir, 'hello.yaml'), 'utf8')
    const live = JSON.stringify(await client.get(deployment))
    return file.includes('GREETING') || live.includes('GREETING') ? undefined : true
  }
  await soon(stage, 'file and cluster are as before', isBack)
  say(stage, 'hello.yaml and the cluster are as they were before it.')
}

/** What a command shows of a plan, without where it is about. */
function sayPlan(stage: Stage, output: string): void {
  const [, ...plan] = output.split(/\n\n/)
  say(stage, plan.join('\n\n').trimEnd())
}

async function sayLine(stage: Stage, beginning: string, words: string): Promise<void> {
  const lines = (await readFile(join(stage.dir, 'hello.yaml'), 'utf8')).split('\n')
  say(stage, words)
  say(stage, `${lines.find((line) => line.trim().startsWith(beginning))}`)
}
