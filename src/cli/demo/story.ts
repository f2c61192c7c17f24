import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { findPaths } from '../../config/paths.ts'
import { askStatus } from '../../daemon/client.ts'
import { KubeClient } from '../../kube/client.ts'
import { loadContext } from '../../kube/config.ts'
import { exec } from '../../kube/exec.ts'
import { files, manifest, port } from './app.ts'
import { playManifests } from './manifests.ts'
import { command, ksync, type Stage, say, soon, step } from './stage.ts'

const podSchema = v.object({
  metadata: v.object({ name: v.string() }),
  status: v.object({
    phase: v.literal('Running'),
    podIP: v.string(),
    containerStatuses: v.tuple([v.object({ ready: v.literal(true), restartCount: v.number() })]),
  }),
})
type RunningPod = v.InferOutput<typeof podSchema>

/** Brings the sandbox up, and resolves with the stage that has it for its cluster. */
export async function bringUp(stage: Stage): Promise<Stage> {
  await step(stage, '1. A cluster')
  const { kubeconfig } = await sandbox(stage)
  command(stage, `export KUBECONFIG=${kubeconfig}`)
  return { ...stage, env: { ...stage.env, KUBECONFIG: kubeconfig } }
}

/** Plays the demo on a stage that has a cluster. */
export async function play(stage: Stage): Promise<void> {
  const client = new KubeClient(await loadContext({ env: stage.env }))
  try {
    await step(stage, '2. A web app in it')
    const pod = await deploy(stage, client)
    await step(stage, '3. A folder here, a folder in its container')
    await sync(stage)
    await page(stage, pod, files['index.html'] ?? '')
    await step(stage, '4. An edit here')
    await editHere(stage, pod)
    await step(stage, '5. An edit there')
    await editThere(stage, client, pod)
    await step(stage, '6. The container dies')
    await crash(stage, client, pod)
    await playManifests(stage, client)
  } finally {
    client.close()
  }
}

const upSchema = v.object({ kubeconfig: v.string(), server: v.string() })

async function sandbox(stage: Stage): Promise<v.InferOutput<typeof upSchema>> {
  await ksync(stage, 'sandbox', 'up')
  const up = v.parse(upSchema, JSON.parse(await ksync(stage, 'sandbox', 'status', '-o', 'json')))
  say(stage, `A Kubernetes API at ${up.server}, in one process of yours.`)
  say(stage, 'Its containers are folders and processes of this machine: no isolation, nothing untrusted.')
  return up
}

async function deploy(stage: Stage, client: KubeClient): Promise<RunningPod> {
  await writeFile(join(stage.dir, 'hello.yaml'), manifest)
  await ksync(stage, 'push', 'hello.yaml', '--force')
  say(stage, `hello.yaml is in the cluster: a Deployment with one pod that serves its folder app/.`)
  const { seen: pod, ms } = await soon(stage, 'the pod runs', () => runningPod(client))
  say(stage, `Pod ${pod.metadata.name} is ready after ${ms} ms. http://${pod.status.podIP}:${port}/ says:`)
  const { seen } = await soon(stage, 'the page answers', () => get(pod))
  say(stage, `  ${seen.trim()}`)
  return pod
}

async function runningPod(client: KubeClient): Promise<RunningPod | undefined> {
  const { items } = await client.listAll(
    { apiVersion: 'v1', plural: 'pods', namespace: 'default' },
    { labelSelector: 'app=hello' },
  )
  return items.map((pod) => v.safeParse(podSchema, pod)).find(({ success }) => success)?.output as
    | RunningPod
    | undefined
}

async function sync(stage: Stage): Promise<void> {
  await mkdir(join(stage.dir, 'hello'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(stage.dir, 'hello', name), text)
  say(stage, `The folder hello/ has ${Object.keys(files).length} files; ${stage.dir}/hello`)
  await ksync(stage, 'init')
  await ksync(stage, 'create', '--name=hello', '--selector=app=hello', 'hello', '/app')
  await ksync(stage, 'watch', '--background')
  const { ms } = await soon(stage, 'the folders are in sync', () => inSync(stage))
  say(stage, `In sync after ${ms} ms.`)
}

async function inSync(stage: Stage): Promise<true | undefined> {
  const status = await askStatus(findPaths({ env: stage.env }).socket)
  const sessions = status?.specs.flatMap((spec) => spec.sessions) ?? []
  return sessions.length > 0 && sessions.every(({ session }) => session?.phase === 'in-sync')
    ? true
    : undefined
}

async function get(pod: RunningPod): Promise<string | undefined> {
  const url = `http://${pod.status.podIP}:${port}/`
  return fetch(url, { headers: { connection: 'close' } }).then(
    (response) => response.text(),
    () => undefined,
  )
}

async function page(stage: Stage, pod: RunningPod, wanted: string): Promise<void> {
  const { ms } = await soon(stage, 'the page is the new one', async () =>
    (await get(pod)) === wanted ? true : undefined,
  )
  say(stage, `http://${pod.status.podIP}:${port}/ says, ${ms} ms later:`)
  say(stage, `  ${wanted.trim()}`)
}

async function editHere(stage: Stage, pod: RunningPod): Promise<void> {
  const text = '<h1>Hello from an edit</h1>\n'
  say(stage, 'Writing another heading into hello/index.html, as an editor would.')
  await writeFile(join(stage.dir, 'hello/index.html'), text)
  await page(stage, pod, text)
}

async function editThere(stage: Stage, client: KubeClient, pod: RunningPod): Promise<void> {
  const line = 'echo written in the container > app/notes.txt'
  command(stage, `kubectl exec ${pod.metadata.name} -- sh -c '${line}'`)
  const stream = await exec(client, {
    namespace: 'default',
    pod: pod.metadata.name,
    container: 'web',
    command: ['sh', '-c', line],
  })
  stream.resume().end()
  const { seen, ms } = await soon(stage, 'the file is here', () =>
    readFile(join(stage.dir, 'hello/notes.txt'), 'utf8').then(
      (text) => text || undefined,
      () => undefined,
    ),
  )
  say(stage, `${ms} ms later hello/notes.txt says here: ${seen.trim()}`)
}

async function crash(stage: Stage, client: KubeClient, pod: RunningPod): Promise<void> {
  say(stage, 'The process ends with an error. Its container is started again, with an empty file system.')
  await fetch(`http://${pod.status.podIP}:${port}/crash`).catch(() => undefined)
  const restarted = async () => {
    const now = await runningPod(client)
    return now !== undefined && now.status.containerStatuses[0].restartCount > 0 ? now : undefined
  }
  const { ms } = await soon(stage, 'the container runs again', restarted)
  say(
    stage,
    `It runs again after ${ms} ms. Nothing was deleted here, and what was lost there is brought back:`,
  )
  await appendFile(join(stage.dir, 'hello/notes.txt'), 'and added to here\n')
  await page(stage, pod, await readFile(join(stage.dir, 'hello/index.html'), 'utf8'))
  await soon(stage, 'the folders are in sync', () => inSync(stage))
  say(stage, `hello/ still has everything: ${[...Object.keys(files), 'notes.txt'].join(', ')}.`)
}
