/**
 * Manifests: what people do with kubectl and a folder of YAML, and the same with kubesync, in turns.
 * `node bench/run.mjs manifests [--quick]`; the cluster is the one of KUBECONFIG.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Row, race, ratio } from './files/figures.ts'
import { must, timed } from './files/run.ts'
import { cli, environment, kubectl, quick, scratch, turns } from './files/settings.ts'
import { printed } from './files/table.ts'

const manifests = quick ? 100 : 500
const objects = quick ? 400 : 2000
const edited = 10
/** Each tool has its own, so that neither finds what the other has left behind. */
const spaces = { ours: `kubesync-bench-${process.pid}-a`, theirs: `kubesync-bench-${process.pid}-b` }
const full = `kubesync-bench-${process.pid}-c`

type Side = keyof typeof spaces

const folders = { ours: folder('ours'), theirs: folder('theirs') }

function folder(name: string): string {
  const path = join(scratch, 'manifests', name)
  mkdirSync(path, { recursive: true })
  return path
}

/** An object of the kinds that a folder mostly holds; Deployments without pods, so that only the API is measured. */
function manifestOf(index: number, version: number): string {
  const name = `thing-${index}`
  const kind = (['ConfigMap', 'Deployment', 'Service', 'ServiceAccount', 'ConfigMap'] as const)[index % 5]
  const head = (apiVersion: string) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n`
  switch (kind) {
    case 'Deployment':
      return `${head('apps/v1')}spec:
  replicas: 0
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: web
          image: registry.invalid/web:${version}
          ports:
            - containerPort: 8080
          env:
            - name: LEVEL
              value: "info"
          resources:
            requests: {cpu: 100m, memory: 64Mi}
`
    case 'Service':
      return `${head('v1')}spec:\n  selector: {app: ${name}}\n  ports:\n    - port: ${80 + (version % 1000)}\n      protocol: TCP\n`
    case 'ServiceAccount':
      return `${head('v1')}  annotations:\n    version: "${version}"\n`
    default:
      return `${head('v1')}data:\n  version: "${version}"\n  app.conf: |\n${'    a line of some length\n'.repeat(40)}`
  }
}

function write(side: Side, indices: readonly number[], version: number): void {
  for (const index of indices) {
    writeFileSync(join(folders[side], `thing-${index}.yaml`), manifestOf(index, version))
  }
}

function kube(args: readonly string[], input = ''): string {
  return must(kubectl, args, { input, env: environment })
}

function ksync(...args: readonly string[]): string {
  const line = [cli, ...args].map((word) => `'${word}'`).join(' ')
  return must('sh', ['-c', `cd '${folders.ours}' && exec '${process.execPath}' ${line}`], {
    env: environment,
  })
}

/** Of so many ConfigMaps and Secrets, in chunks that kubectl takes at once. */
function fill(): void {
  for (let at = 0; at < objects; at += 500) {
    const items = Array.from({ length: Math.min(500, objects - at) }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `object-${at + index}`, labels: { number: String(at + index) } },
      data: { text: `${'a line of some length\n'.repeat(20)}${at + index}\n` },
    }))
    kube(['-n', full, 'create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  }
}

async function diffRow(): Promise<Row> {
  const ways = {
    'kubesync diff': () => timed(() => ksync('diff', '-n', spaces.ours)),
    'kubectl diff -f': () => timed(() => kube(['-n', spaces.theirs, 'diff', '-f', folders.theirs])),
  }
  const figures = await race(ways, { turns, unit: 's' })
  const title = `diff of ${manifests} unchanged manifests`
  return { name: 'diff', title, figures, reaches: [ratio(figures, 'kubectl diff -f', 0.2)] }
}

async function pushRow(): Promise<Row> {
  const some = Array.from({ length: edited }, (_, index) => (index * manifests) / edited)
  let version = 2
  const edit = (side: Side) => write(side, some, version++)
  const ways = {
    'kubesync push -f': async () => {
      edit('ours')
      return timed(() => ksync('push', '-f', '-n', spaces.ours))
    },
    'kubectl apply -f': async () => {
      edit('theirs')
      return timed(() => kube(['-n', spaces.theirs, 'apply', '-f', folders.theirs]))
    },
  }
  const figures = await race(ways, { turns, unit: 's' })
  const title = `push of ${manifests} manifests, ${edited} of them changed`
  return { name: 'push', title, figures, reaches: [ratio(figures, 'kubectl apply -f', 0.3)] }
}

async function pullRow(): Promise<Row> {
  const ways = {
    'kubesync pull -f': async () => {
      rmSync(folders.ours, { recursive: true, force: true })
      mkdirSync(folders.ours)
      return timed(() => ksync('pull', 'configmaps', '-f', '-n', full))
    },
    'kubectl get -o yaml': () => timed(() => kube(['-n', full, 'get', 'configmaps', '-o', 'yaml'])),
  }
  const figures = await race(ways, { turns, unit: 's' })
  const title = `pull of ${objects} objects into files`
  return { name: 'pull', title, figures, reaches: [ratio(figures, 'kubectl get -o yaml', 1.5)] }
}

try {
  for (const space of [...Object.values(spaces), full]) kube(['create', 'namespace', space])
  const all = Array.from({ length: manifests }, (_, index) => index)
  for (const side of ['ours', 'theirs'] as const) write(side, all, 1)
  ksync('push', '-f', '-n', spaces.ours)
  kube(['-n', spaces.theirs, 'apply', '-f', folders.theirs])
  fill()
  for (const row of [diffRow, pushRow, pullRow]) console.log(printed(await row()))
} finally {
  for (const space of [...Object.values(spaces), full]) {
    kube(['delete', 'namespace', space, '--wait=false', '--ignore-not-found'])
  }
  rmSync(scratch, { recursive: true, force: true })
}
