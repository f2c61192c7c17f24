import { readdirSync, readFileSync } from 'node:fs'

/** The most memory a process has had resident so far, in MiB; 0 if it is gone. */
export function peakMemory(pid: number): number {
  return memory(pid, /^VmHWM:\s+(\d+)/m)
}

/** The memory a process has resident, in MiB; 0 if it is gone. */
export function residentMemory(pid: number): number {
  return memory(pid, /^VmRSS:\s+(\d+)/m)
}

function memory(pid: number, line: RegExp): number {
  try {
    return Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The agents' processes that run on this machine: of a node, and mirrors. */
export function agentProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandOf(name).includes('kubesync.agent'))
    .map(Number)
}

/** The mirror of a remote folder that no other test uses, and the agent that started it, by their ids. */
export function servers(folder: string): { mirror: number; agent: number } | undefined {
  const mirror = agentProcesses().find((pid) => commandOf(String(pid)).includes(`"path":"${folder}"`))
  if (mirror === undefined) return undefined
  try {
    const agent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${mirror}/status`, 'utf8'))?.[1]
    return { mirror, agent: Number(agent) }
  } catch {
    return undefined
  }
}

export function isRunning(pid: number): boolean {
  return commandOf(String(pid)) !== ''
}

/** The mirrors of one container that run on this machine; nobody else's. */
export function mirrorsOf(containerId: string): number[] {
  return agentProcesses().filter((pid) => commandOf(String(pid)).includes(`"${containerId}"`))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
