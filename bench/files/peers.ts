/** Others who bring one local folder in step with another, each from nothing to "done", in a folder of its own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, shell, start, timed, until } from './run.ts'
import { cache, scratch } from './settings.ts'

/** Makes `to`, which is empty, like `from`. What is set up beforehand is not measured. */
export type Peer = (from: string, to: string) => Promise<number>

const MUTAGEN = 'v0.18.1'
/** The packages of Debian that are asked for. */
const packages = ['rsync', 'unison', 'syncthing']

/** What is missing is installed or built; what cannot be is told of by what fails later. */
export function preparePeers(): void {
  const absent = packages.filter((name) => !isInstalled(name))
  try {
    if (absent.length > 0) shell(`apt-get install -y ${absent.join(' ')} >/dev/null`)
  } catch (error) {
    console.error(`${absent.join(', ')}: not installed: ${error}`)
  }
  try {
    if (!existsSync(mutagen)) buildMutagen()
  } catch (error) {
    console.error(`mutagen was not built: ${error}`)
  }
}

function isInstalled(name: string): boolean {
  try {
    shell(`command -v ${name} >/dev/null`)
    return true
  } catch {
    return false
  }
}

const mutagen = join(cache, 'peers/mutagen')

/** Its module replaces others, so it is built from its own sources and not as somebody's dependency. */
function buildMutagen(): void {
  const source = mkdtempSync('/tmp/kubesync-mutagen-')
  try {
    shell(
      [
        `cd ${source}`,
        `dir=$(go mod download -json github.com/mutagen-io/mutagen@${MUTAGEN} | grep '"Dir"' | cut -d'"' -f4)`,
        `cp -r "$dir"/. . && chmod -R u+w .`,
        `go build -trimpath -tags mutagencli -o ${mutagen} ./cmd/mutagen`,
      ].join('\n'),
    )
  } finally {
    rmSync(source, { recursive: true, force: true })
  }
}

function fresh(name: string): string {
  const path = join(scratch, name)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

export const withTar: Peer = (from, to) => timed(() => shell(`tar cf - -C '${from}' . | tar xf - -C '${to}'`))
export const withRsync: Peer = (from, to) => timed(() => must('rsync', ['-a', `${from}/`, `${to}/`]))

export const withUnison: Peer = (from, to) => {
  const env = { ...process.env, UNISON: fresh('unison') }
  const quietly = ['-batch', '-auto', '-silent', '-confirmbigdel=false', '-times', '-perms', '-1']
  return timed(() => must('unison', [from, to, ...quietly], { env }))
}

/** Its daemon runs already: that is how it is used. */
export const withMutagen: Peer = async (from, to) => {
  const env = { ...process.env, MUTAGEN_DATA_DIRECTORY: fresh('mutagen') }
  const run = (...args: string[]) => must(mutagen, args, { env })
  run('daemon', 'start')
  try {
    return await timed(() => {
      run('sync', 'create', '--name=bench', '--mode=two-way-safe', '--symlink-mode=posix-raw', from, to)
      run('sync', 'flush', 'bench')
    })
  } finally {
    run('daemon', 'stop')
  }
}

interface Thing {
  readonly home: string
  readonly id: string
  readonly gui: number
  readonly port: number
}

const API_KEY = 'bench'

/** Two of them that know each other run already; measured from when they are told of the folder. */
export const withSyncthing: Peer = async (from, to) => {
  const things = [makeThing('syncthing-a', 28_384), makeThing('syncthing-b', 28_386)]
  const [a, b] = things
  if (a === undefined || b === undefined) throw new Error('there are two')
  for (const thing of things) configure(thing, thing === a ? b : a)
  const running = things.map(({ home }) => start('syncthing', ['serve', '--no-browser', '--home', home]))
  try {
    const isConnected = async () => {
      const { connections } = await ask<{ connections: Record<string, { connected: boolean }> }>(
        a,
        'system/connections',
      )
      return connections[b.id]?.connected === true
    }
    await until('both syncthings know each other', () => isConnected().catch(() => false))
    return await timed(async () => {
      await share(b, a, to)
      await share(a, b, from)
      const isDone = async () => {
        const [here, there] = await Promise.all([stateOf(a), stateOf(b)])
        return (
          here.globalFiles > 0 &&
          here.state === 'idle' &&
          there.state === 'idle' &&
          there.needTotalItems === 0 &&
          there.globalFiles === here.globalFiles
        )
      }
      await until('syncthing has everything', () => isDone().catch(() => false), 300)
    })
  } finally {
    await Promise.all(running.map((one) => one.stop()))
  }
}

interface FolderState {
  readonly state: string
  readonly globalFiles: number
  readonly needTotalItems: number
}

function makeThing(name: string, gui: number): Thing {
  const home = fresh(name)
  must('syncthing', ['generate', '--home', home, '--no-default-folder', '--skip-port-probing'])
  const id = must('syncthing', ['--home', home, '--device-id']).trim()
  return { home, id, gui, port: gui + 1 }
}

function configure({ home, id, gui, port }: Thing, other: Thing): void {
  const off = [
    'globalAnnounceEnabled',
    'localAnnounceEnabled',
    'relaysEnabled',
    'natEnabled',
    'crashReportingEnabled',
  ]
  writeFileSync(
    join(home, 'config.xml'),
    `<configuration version="35">
      <device id="${id}" name="own"><address>dynamic</address></device>
      <device id="${other.id}" name="other"><address>tcp://127.0.0.1:${other.port}</address></device>
      <gui enabled="true" tls="false"><address>127.0.0.1:${gui}</address><apikey>${API_KEY}</apikey></gui>
      <options><listenAddress>tcp://127.0.0.1:${port}</listenAddress><reconnectionIntervalS>1</reconnectionIntervalS>
        <urAccepted>-1</urAccepted>${off.map((name) => `<${name}>false</${name}>`).join('')}</options>
    </configuration>`,
  )
}

async function ask<T>({ gui }: Thing, path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${gui}/rest/${path}`, { headers: { 'X-API-Key': API_KEY } })
  return (await answer.json()) as T
}

const stateOf = (thing: Thing) => ask<FolderState>(thing, 'db/status?folder=bench')

async function share(thing: Thing, other: Thing, path: string): Promise<void> {
  const folder = {
    ...{ id: 'bench', path, type: 'sendreceive', fsWatcherEnabled: true, fsWatcherDelayS: 1 },
    devices: [{ deviceID: thing.id }, { deviceID: other.id }],
  }
  const headers = { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' }
  const url = `http://127.0.0.1:${thing.gui}/rest/config/folders/bench`
  const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(folder) })
  if (!answer.ok) throw new Error(`syncthing: ${await answer.text()}`)
}
