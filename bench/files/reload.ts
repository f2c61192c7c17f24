/** From the wish to have a program read its files anew to a program that does. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { figure, median, type Row } from './figures.ts'
import { ksync, kube, namespace, replicas, scale } from './lab.ts'
import { timed, until } from './run.ts'
import { agentImage, quick, scratch, turns } from './settings.ts'

const TIMES = quick ? 40 : 200
const name = 'reloaded'
/** A server of a first process and two more. */
const server = `const cluster = require('cluster')
  if (cluster.isPrimary) {
    cluster.setupPrimary({ exec: __filename, execArgv: [] })
    for (let n = 0; n < 2; n++) cluster.fork()
  } else require('http').createServer((_, answer) => answer.end()).listen(8080)`

const program = `require('fs').writeFileSync('/tmp/main.cjs', ${JSON.stringify(server)}); require('/tmp/main.cjs')`

export async function reload(): Promise<Row> {
  const folder = join(scratch, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'settings'), '')
  const containers = [{ name, image: agentImage, command: ['node', '-e', program] }]
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers } }
  kube(['apply', '-f', '-'], JSON.stringify(pod))
  kube(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s'])
  ksync(['create', '--name', name, '-n', namespace, '--pod', name, '--reload', 'restart', folder, '/folder'])
  ksync(['watch', '-b'])
  try {
    await until('it is in sync', () => ksync(['get', name]).includes('in sync'))
    const inPlace = Array.from({ length: TIMES }, reloaded)
    const restarts = kube(['get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])
    if (restarts !== '0') throw new Error(`the container was restarted ${restarts} times`)
    return rowOf(inPlace, await replaced())
  } finally {
    ksync(['watch', '--stop'])
    ksync(['delete', name])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds, of one of several processes that execute themselves again. */
function reloaded(): number {
  const said = ksync(['reload', name])
  const ms = /(\d+) ms/.exec(said)?.[1]
  if (ms === undefined) throw new Error(said)
  return Number(ms)
}

/** Milliseconds, of a pod that is deleted to the one in its place that is ready. */
async function replaced(): Promise<number[]> {
  scale(1)
  const runs: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    const [old = ''] = replicas()
    const seconds = await timed(() => {
      kube(['delete', old, '--wait=false', '--grace-period=1'])
      kube(['rollout', 'status', 'deployment/replicated', '--timeout=60s'])
    })
    runs.push(seconds * 1000)
  }
  scale(0)
  return runs
}

function rowOf(inPlace: readonly number[], replacedIn: readonly number[]): Row {
  const figures = [
    figure('kubesync --reload restart', 'ms', inPlace),
    figure('kubectl delete pod, until another is ready', 'ms', replacedIn),
  ]
  const title = `a Node server of three processes starts anew, ${TIMES} times, without a restart of its container`
  return { name: 'reload', title, figures, reaches: [{ what: 'ms', value: median(inPlace), limit: 50 }] }
}
