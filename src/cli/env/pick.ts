import { kubeEnv } from '../../config/settings.ts'
import { KubesyncError } from '../../errors.ts'
import { KubeClient } from '../../kube/client.ts'
import { type ContextSummary, listContexts, loadContext } from '../../kube/config.ts'
import { ApiError } from '../../kube/errors.ts'
import { connect } from '../connect.ts'
import type { EnvOptions } from '../env.ts'
import type { Cli } from '../io.ts'
import { pick } from '../pick.ts'
import { describeError } from '../report.ts'
import { findFolder, findWhere, settingsOf } from '../where.ts'

/** How long a server may take to say that it is there, in milliseconds. */
const probeMs = 3_000

/** Has the person pick a context; undefined if nobody wants one. NO_TERMINAL says what to type instead. */
export async function pickContext(cli: Cli, options: EnvOptions): Promise<string | undefined> {
  const settings = await settingsOf(cli, options)
  const where = { kubeconfig: options.kubeconfig, env: kubeEnv(settings) }
  const contexts = await listContexts(where)
  const { keyboard } = cli.io
  if (keyboard === undefined)
    throw noTerminal(
      cli,
      'context',
      contexts.map(({ name }) => name),
    )
  const { pin } = await findFolder(cli, settings)
  const now = await findWhere(cli, options, pin).catch(() => undefined)
  const current = now?.context.name
  // What holds now is the first, so that Enter changes nothing.
  const sorted = [...contexts].sort((a, b) => Number(b.name === current) - Number(a.name === current))
  return pick(cli.io, keyboard, {
    title: 'Context:',
    items: sorted.map(({ name }) => ({ name, note: '…' })),
    about: (tell, signal) => {
      for (const one of contexts) void probe(one, { ...where, signal }).then((note) => tell(one.name, note))
    },
  })
}

interface Probing {
  readonly kubeconfig: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/**
 * Whether a server is there, in a word. Nobody logs in: plug-ins for credentials may open browsers, and one for each context would. So a
 * server that wants to know who asks is there.
 */
async function probe({ name }: ContextSummary, { signal, ...where }: Probing): Promise<string> {
  try {
    const client = new KubeClient(await loadContext({ ...where, context: name, anonymous: true }))
    await client.request({ path: '/version', timeoutMs: probeMs, signal }).finally(() => client.close())
    return 'reachable'
  } catch (error) {
    if (error instanceof ApiError) return 'reachable'
    const code = error instanceof KubesyncError ? error.code : ''
    if (code === 'UNAUTHORIZED') return 'reachable'
    return code === 'CERTIFICATE_REFUSED' ? 'its certificate is not trusted' : 'not reachable'
  }
}

/** Has the person pick a namespace of the context; where the cluster does not list them, it is typed. */
export async function pickNamespace(cli: Cli, options: EnvOptions): Promise<string | undefined> {
  const { keyboard, ask, stderr, signal } = cli.io
  const { pin } = await findFolder(cli, await settingsOf(cli, options))
  const client = await connect(cli, options, pin)
  try {
    const { namespace } = client.context
    const limit = AbortSignal.any([signal, AbortSignal.timeout(probeMs)])
    const names = await client.listAll({ apiVersion: 'v1', plural: 'namespaces' }, { signal: limit }).then(
      ({ items }) => items.flatMap(({ metadata }) => metadata?.name ?? []),
      (error: unknown) => {
        signal.throwIfAborted()
        return error
      },
    )
    if (keyboard === undefined || ask === undefined) {
      throw noTerminal(cli, 'namespace', Array.isArray(names) ? names : [])
    }
    if (Array.isArray(names)) {
      const sorted = [namespace, ...names.filter((name) => name !== namespace)]
      const items = sorted.map((name) => ({ name, note: names.includes(name) ? '' : 'is not there' }))
      return await pick(cli.io, keyboard, { title: 'Namespace:', items })
    }
    const why =
      names instanceof KubesyncError ? names : new KubesyncError('', 'the cluster did not answer in time')
    stderr.write(describeError(why, { verbose: cli.verbose, stderr }))
    return (await ask(`Namespace [${namespace}]:`)) || namespace
  } finally {
    client.close()
  }
}

function noTerminal(cli: Cli, what: string, names: readonly string[]): KubesyncError {
  const listed = names.length === 0 ? '' : `; there are: ${names.join(', ')}`
  return new KubesyncError('NO_TERMINAL', `there is no terminal to pick a ${what} at`, {
    hint: `say \`${cli.name} env ${what} NAME\`${listed}`,
  })
}
