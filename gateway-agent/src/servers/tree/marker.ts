import { readdir } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises'

/** Every process below a server inherits this variable, so it is found again even when it left group, session and parent. */
export const markerVariable = 'MCPG_INSTANCE'

export function markerOf(gatewayId: string, instanceId: string): string {
  return `${gatewayId}/${instanceId}`.replace(/[^A-Za-z0-9._/-]/g, '_')
}

/** Whether environments of other processes can be read here. */
export function canScan(): boolean {
  try {
    return readFileSync('/proc/self/environ').length >= 0
  } catch {
    return false
  }
}

/** Passes after which a process that cannot be killed (another user's, stuck in the kernel) is given up. */
const maxPasses = 500

/**
 * Ends what carries a marker. Markers that are asked for at the same time share the passes over /proc, so stopping fifty servers reads
 * it twice and not a hundred times.
 */
export function markerScanner() {
  const wanted = new Map<string, { empty: number; passes: number; killed: Set<number>; done: (killed: number) => void }>()
  let running: Promise<void> | undefined
  return { end }

  /** Resolves with the number of processes killed, after two passes in a row found none: a fork may slip through one. */
  function end(marker: string): Promise<number> {
    return new Promise((done) => {
      wanted.set(marker, { empty: 0, passes: 0, killed: new Set(), done })
      running ??= scan().finally(() => (running = undefined))
    })
  }

  async function scan(): Promise<void> {
    while (wanted.size > 0) {
      // A marker that arrives during a pass must not be credited with it.
      const inThisPass = [...wanted]
      const found = await findMarked(new Set(inThisPass.map(([marker]) => marker)))
      for (const [marker, entry] of inThisPass) {
        const pids = found.get(marker) ?? []
        for (const pid of pids) if (killQuietly(pid)) entry.killed.add(pid)
        entry.empty = pids.length === 0 ? entry.empty + 1 : 0
        if (entry.empty < 2 && ++entry.passes < maxPasses) continue
        wanted.delete(marker)
        entry.done(entry.killed.size)
      }
      if (wanted.size > 0) await sleep(5)
    }
  }
}

/** Process ids by marker. Blind for emptied environments and for processes of other users. */
export async function findMarked(markers: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  const names = await readdir('/proc').catch(() => [])
  let read = 0
  for (const name of names) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const marker = markerOfProcess(pid)
    if (marker !== null && markers.has(marker)) found.set(marker, [...(found.get(marker) ?? []), pid])
    // Reading synchronously is ten times cheaper; 64 at a time keeps the pause around a millisecond.
    if (++read % 64 === 0) await yieldToOthers()
  }
  return found
}

function markerOfProcess(pid: number): string | null {
  let environ: string
  try {
    environ = readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return null
  }
  const start = environ.startsWith(`${markerVariable}=`) ? 0 : environ.indexOf(`\0${markerVariable}=`) + 1
  if (start === 0 && !environ.startsWith(`${markerVariable}=`)) return null
  const end = environ.indexOf('\0', start)
  return environ.slice(start + markerVariable.length + 1, end === -1 ? undefined : end)
}

export function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
