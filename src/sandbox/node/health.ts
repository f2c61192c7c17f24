import { setTimeout as delay } from 'node:timers/promises'
import type { V1LifecycleHandler, V1Probe } from '@kubernetes/client-node'
import type { Container } from './pod-spec.ts'
import { type Probed, probeLoop } from './probe.ts'

/** A hook that takes longer is given up; the container's end has its own limit. */
const hookMs = 600_000

export interface Health {
  readonly container: Container
  readonly target: Probed
  /** Ends all probes: the container ended. */
  readonly signal: AbortSignal
  /** Hears how the container does whenever that changes. */
  onChange(state: { readonly started: boolean; readonly ready: boolean }): void
  /** Hears of every result that is none of health. */
  onProblem(reason: 'Unhealthy' | 'FailedPostStartHook', message: string, fatal: boolean): void
}

/** Runs a started container's postStart hook and its probes: the startup probe first, the others when it has succeeded. */
export function watchHealth({ container, target, signal, onChange, onProblem }: Health): void {
  const { startupProbe, livenessProbe, readinessProbe, lifecycle } = container
  let ready = readinessProbe === undefined

  function probe(
    kind: string,
    spec: V1Probe,
    { until, onResult }: { until: AbortSignal; onResult?: (healthy: boolean) => void },
  ) {
    void probeLoop({
      ...{ spec, target, signal: until },
      onResult: (healthy, why) => {
        if (!healthy) onProblem('Unhealthy', `${kind} probe failed: ${why}`, kind !== 'Readiness')
        onResult?.(healthy)
      },
    })
  }

  function started(): void {
    onChange({ started: true, ready })
    if (livenessProbe !== undefined) probe('Liveness', livenessProbe, { until: signal })
    if (readinessProbe === undefined) return
    probe('Readiness', readinessProbe, {
      until: signal,
      onResult: (healthy) => {
        if (healthy === ready) return
        ready = healthy
        onChange({ started: true, ready })
      },
    })
  }

  void runHook(lifecycle?.postStart, target).then((failed) => {
    if (failed !== undefined && !signal.aborted) onProblem('FailedPostStartHook', failed, true)
  })
  if (startupProbe === undefined) {
    started()
    return
  }
  const done = new AbortController()
  const onResult = (healthy: boolean) => {
    if (!healthy) return
    done.abort()
    started()
  }
  probe('Startup', startupProbe, { until: AbortSignal.any([signal, done.signal]), onResult })
}

/** Runs a hook of a container; why it failed, or undefined. */
export async function runHook(
  hook: V1LifecycleHandler | undefined,
  target: Probed,
): Promise<string | undefined> {
  if (hook?.sleep !== undefined) await delay(hook.sleep.seconds * 1000, undefined, { ref: false })
  if (hook?.exec === undefined) return undefined
  const { code, output } = await target.run(hook.exec.command ?? [], hookMs)
  return code === 0 ? undefined : `command exited with code ${code}: ${output}`
}
