import { styleFor } from '../ui/style.ts'
import { printable } from '../ui/text.ts'
import type { Output } from './io.ts'

/** What everybody must know who starts a sandbox. */
export function warningFor(output: Output): string {
  const style = styleFor(output)
  return [
    style(['yellow', 'bold'], 'WARNING: this is no isolation.'),
    'Its containers are ordinary processes of this machine, run as you, with all your rights and files.',
    'Run nothing in it that you would not run in this terminal.',
    '',
  ].join('\n')
}

/** How to use a sandbox that runs. */
export function usageOf(name: string, kubeconfig: string): string {
  return `
It is a cluster like any other, with a kubeconfig of its own:
  export KUBECONFIG=${shellWord(kubeconfig)}
  kubectl create deployment hello --image=any -- sleep 1000000
  kubectl get pods
  ${name} init
  ${name} run -l app=hello . /data

There are no images: a container is a folder, and its command one of this machine's.
\`${name} sandbox down\` ends it and removes everything in it.
`
}

/** A path as a shell takes it. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${printable(path).replaceAll("'", "'\\''")}'`
}
