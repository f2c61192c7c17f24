import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { image, podSpec, shell, untilAsked } from './support/pods.ts'
import { Kubectl, until } from './support/run.ts'
import { useNamespace, withKubectl } from './support/suite.ts'

const space = useNamespace()
let dir = ''
let kubectl: Kubectl

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'contract-kubectl-'))
  kubectl = new Kubectl({
    binary: inject('kubectl') ?? '',
    kubeconfig: inject('kubeconfig'),
    namespace: space.name,
    home: dir,
  })
})

afterAll(() => rm(dir, { recursive: true, force: true }))

const config = (name: string, data: Record<string, string>) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: ${JSON.stringify(data)}\n`

const deployment = (name: string) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: podSpec([shell(`echo "value $V"; ${untilAsked}`, { env: [{ name: 'V', value: '1' }] })]),
      },
    },
  })

const pod = (name: string, script = untilAsked) => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: ${image}
      command: [sh, -c, ${JSON.stringify(script)}]
      workingDir: /
`

describe.concurrent('kubectl', () => {
  const runs = withKubectl()
  const runsPods = withKubectl('nodes')
  const controls = withKubectl('nodes', 'controllers')

  runs('apply makes, leaves alone, and changes', async () => {
    expect(await kubectl.stdin(config('applied', { a: '1', b: '2' }), 'apply', '-f', '-')).toBe(
      'configmap/applied created\n',
    )
    expect(await kubectl.stdin(config('applied', { a: '1', b: '2' }), 'apply', '-f', '-')).toBe(
      'configmap/applied unchanged\n',
    )
    expect(await kubectl.stdin(config('applied', { a: '3' }), 'apply', '-f', '-')).toBe(
      'configmap/applied configured\n',
    )
    expect(JSON.parse(await kubectl.run('get', 'cm', 'applied', '-o', 'jsonpath={.data}'))).toEqual({
      a: '3',
    })
  })

  runs('apply --server-side makes, changes, and tells of conflicts', async () => {
    const apply = ['apply', '--server-side', '-f', '-']
    expect(await kubectl.stdin(config('served', { a: '1' }), ...apply)).toBe(
      'configmap/served serverside-applied\n',
    )
    expect(await kubectl.stdin(config('served', { a: '2' }), ...apply)).toBe(
      'configmap/served serverside-applied\n',
    )
    const fought = await kubectl.attempt(config('served', { a: '3' }), ...apply, '--field-manager', 'other')
    expect(fought.code).not.toBe(0)
    expect(fought.stderr).toContain('conflict with "kubectl": .data.a')
    await kubectl.stdin(
      config('served', { a: '3' }),
      ...apply,
      '--field-manager',
      'other',
      '--force-conflicts',
    )
    expect(await kubectl.run('get', 'cm', 'served', '-o', 'jsonpath={.data.a}')).toBe('3')
  })

  runs('diff shows what would change, and says so by its exit code', async () => {
    await kubectl.stdin(config('differs', { a: 'old' }), 'apply', '-f', '-')
    expect((await kubectl.attempt(config('differs', { a: 'old' }), 'diff', '-f', '-')).code).toBe(0)
    const { code, stdout } = await kubectl.attempt(config('differs', { a: 'new' }), 'diff', '-f', '-')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^- +a: old$/m)
    expect(stdout).toMatch(/^\+ +a: new$/m)
  })

  runs('get prints tables, names, JSON, and nothing found', async () => {
    await kubectl.stdin(config('got', { a: '1' }), 'apply', '-f', '-')
    expect(await kubectl.run('get', 'cm', 'got')).toMatch(/^NAME +DATA +AGE\ngot +1 +\d+s\n$/)
    expect(await kubectl.run('get', 'cm', 'got', '-o', 'name')).toBe('configmap/got\n')
    expect(JSON.parse(await kubectl.run('get', 'cm', 'got', '-o', 'json'))).toMatchObject({
      kind: 'ConfigMap',
      data: { a: '1' },
    })
    const none = await kubectl.attempt('', 'get', 'cm', 'nobody')
    expect(none.stderr).toContain('Error from server (NotFound): configmaps "nobody" not found')
    expect(none.code).toBe(1)
    expect((await kubectl.attempt('', 'get', 'networkpolicies')).stderr).toContain('No resources found')
  })

  runs('label, annotate, patch, edit by replace, and delete', async () => {
    await kubectl.stdin(config('touched', { a: '1' }), 'create', '-f', '-')
    expect(await kubectl.run('label', 'cm', 'touched', 'x=y')).toBe('configmap/touched labeled\n')
    expect(await kubectl.run('annotate', 'cm', 'touched', 'n=m')).toMatch(/^configmap\/touched annotated?\n$/)
    expect(await kubectl.run('patch', 'cm', 'touched', '-p', '{"data":{"a":"2"}}')).toBe(
      'configmap/touched patched\n',
    )
    expect(await kubectl.run('get', 'cm', '-l', 'x=y', '-o', 'name')).toBe('configmap/touched\n')
    expect(await kubectl.stdin(config('touched', { z: '1' }), 'replace', '-f', '-')).toBe(
      'configmap/touched replaced\n',
    )
    expect(await kubectl.run('delete', 'cm', 'touched')).toMatch(/^configmap "touched" deleted/)
  })

  runs('api-resources, api-versions and explain tell of the types', async () => {
    expect(await kubectl.run('api-resources')).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m)
    expect(await kubectl.run('api-versions')).toContain('apps/v1\n')
    expect(await kubectl.run('explain', 'deployment.spec.replicas')).toMatch(/^FIELD: +replicas <integer>$/m)
  })

  withKubectl('protobuf')('create makes simple things, auth can-i tells what one may do', async () => {
    const made = await kubectl.run('create', 'configmap', 'made', '--from-literal=a=1')
    expect(made).toBe('configmap/made created\n')
    expect(await kubectl.run('auth', 'can-i', 'create', 'pods')).toBe('yes\n')
  })

  runs('a mistyped field is refused before anything is made', async () => {
    const { code, stderr } = await kubectl.attempt(`${config('typo', {})}dat: {}\n`, 'apply', '-f', '-')
    expect(code).toBe(1)
    expect(stderr).toMatch(/unknown field "dat"/)
    expect((await kubectl.attempt('', 'get', 'cm', 'typo')).code).toBe(1)
  })

  runsPods('wait, exec, logs and describe of a pod', async () => {
    await kubectl.stdin(pod('spoken', `echo hello; ${untilAsked}`), 'apply', '-f', '-')
    expect(await kubectl.run('wait', '--for=condition=Ready', 'pod/spoken', '--timeout=30s')).toBe(
      'pod/spoken condition met\n',
    )
    expect(await kubectl.run('get', 'pod', 'spoken')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\nspoken +1\/1 +Running +0 +\d+s\n$/,
    )
    expect(await kubectl.run('logs', 'spoken')).toBe('hello\n')
    const { code, stdout, stderr } = await kubectl.attempt(
      '',
      'exec',
      'spoken',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 5',
    )
    expect({ code, stdout }).toEqual({ code: 5, stdout: 'out\n' })
    expect(stderr).toContain('err\n')
    expect(await kubectl.stdin('some text', 'exec', '-i', 'spoken', '--', 'cat')).toBe('some text')
    expect(await kubectl.run('describe', 'pod', 'spoken')).toMatch(/^Status: +Running$/m)
    expect(await kubectl.run('delete', 'pod', 'spoken')).toMatch(/^pod "spoken" deleted/)
  })

  runsPods('logs -f follows to the end', async () => {
    const counting = pod('counts', 'echo 1; until [ -e go ]; do sleep 0.1; done; echo 2; echo 3')
    // Whoever comes late is not to follow the container that comes after it, which waits for ever.
    const once = counting.replace('spec:\n', 'spec:\n  restartPolicy: Never\n')
    await kubectl.stdin(once, 'apply', '-f', '-')
    await kubectl.run('wait', '--for=condition=Ready', 'pod/counts', '--timeout=30s')
    const followed = kubectl.run('logs', '-f', 'counts')
    await kubectl.run('exec', 'counts', '--', 'touch', 'go')
    expect(await followed).toBe('1\n2\n3\n')
  })

  runsPods('cp carries files in and out', async () => {
    await kubectl.stdin(pod('copied'), 'apply', '-f', '-')
    await kubectl.run('wait', '--for=condition=Ready', 'pod/copied', '--timeout=30s')
    await mkdir(join(dir, 'tree'))
    await writeFile(join(dir, 'tree', 'file'), 'content\n')
    await kubectl.run('exec', 'copied', '--', 'mkdir', 'into')
    await kubectl.run('cp', join(dir, 'tree'), 'copied:into')
    expect(await kubectl.run('exec', 'copied', '--', 'cat', 'into/tree/file')).toBe('content\n')
    await kubectl.run('cp', 'copied:into/tree/file', join(dir, 'back'))
    expect(await readFile(join(dir, 'back'), 'utf8')).toBe('content\n')
  })

  runsPods('port-forward carries connections, several of them', async () => {
    const server =
      "require('node:http').createServer((q, r) => r.end('at ' + q.url)).listen(Number(process.env.PORT))"
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const spec = {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'docker.io/kubesync-test/node:20',
          command: ['node', '-e', server],
          env: [{ name: 'PORT', value: String(port) }],
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
        },
      ],
    }
    await kubectl.stdin(
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }),
      'apply',
      '-f',
      '-',
    )
    await kubectl.run('wait', '--for=condition=Ready', 'pod/web', '--timeout=30s')
    const forward = kubectl.start('port-forward', 'pod/web', `:${port}`)
    const said = await until(forward, /Forwarding from 127\.0\.0\.1:(\d+)/)
    const answers = await Promise.all(
      ['/one', '/two', '/three'].map((path) => fetched(`http://127.0.0.1:${said[1]}${path}`)),
    )
    forward.kill()
    expect(answers).toEqual(['at /one', 'at /two', 'at /three'])
  })

  controls('rollout status, restart, history and undo; scale; set; top to bottom', async () => {
    const name = 'rolled'
    await kubectl.stdin(deployment(name), 'apply', '-f', '-')
    expect(await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=40s')).toContain(
      `deployment "${name}" successfully rolled out`,
    )
    expect(await kubectl.run('logs', `deployment/${name}`)).toBe('value 1\n')
    expect(await kubectl.run('exec', `deployment/${name}`, '--', 'sh', '-c', 'echo $V')).toBe('1\n')
    await kubectl.run('set', 'env', `deployment/${name}`, 'V=2')
    await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=40s')
    expect(await kubectl.run('rollout', 'history', `deployment/${name}`)).toMatch(/^1 .*\n2 /m)
    expect(await kubectl.run('rollout', 'undo', `deployment/${name}`)).toBe(
      `deployment.apps/${name} rolled back\n`,
    )
    await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=40s')
    expect(await kubectl.run('get', 'deployment', name, '-o', 'jsonpath={..env[0].value}')).toBe('1')
    expect(await kubectl.run('rollout', 'restart', `deployment/${name}`)).toBe(
      `deployment.apps/${name} restarted\n`,
    )
    await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=40s')
    expect(await kubectl.run('scale', `deployment/${name}`, '--replicas=0')).toBe(
      `deployment.apps/${name} scaled\n`,
    )
    await kubectl.run('rollout', 'status', `deployment/${name}`, '--timeout=40s')
    expect(await kubectl.run('get', 'deployment', name)).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nrolled +0\/0 +0 +0 +\d+/,
    )
    expect(await kubectl.run('delete', 'deployment', name)).toMatch(/^deployment.apps "rolled" deleted/)
  })
})

function fetched(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve(body)
    }).on('error', reject)
  })
}
