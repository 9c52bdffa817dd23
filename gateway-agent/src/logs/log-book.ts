import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import { lineLog, type LineLog } from '@mcpg/core/line-log'
import type { Log } from '@mcpg/core/log'

/** Logs of instances that are gone, per server: why one was replaced is read after it was. */
const keptEnded = 2
/** Of a server that does not run here any more. */
const keptMs = 7 * 86_400_000

export type InstanceLog = { instanceId: string; log: LineLog; isRunning: boolean }

export type LogBook = ReturnType<typeof logBook>

/**
 * The logs of a gateway: `<folder>/<server>/<instance>/` for every instance. Those that have ended stay readable, the newest two
 * of a server.
 */
export function logBook({ folder, clock, log }: { folder: string; clock: Clock; log: Log }) {
  const running = new Map<string, Map<string, LineLog>>()
  const openings = new Set<(server: string, opened: InstanceLog) => void>()
  const closings = new Set<(server: string, instanceId: string) => void>()
  /** In which order they ended; file times are coarse, and all there is for those of an earlier process. */
  const closed = new Map<string, number>()
  let endings = 0
  /** One removal after the other. */
  let pruning = sweep()
  return { open, close, find, predecessor, onOpen, onClose, flushed }

  /** The log of an instance that is about to run. */
  function open(server: string, instanceId: string): LineLog {
    const known = running.get(server) ?? new Map<string, LineLog>()
    running.set(server, known)
    const opened = lineLog({
      folder: join(folder, server, instanceId),
      clock,
      onTrouble: (error) => log.warn({ err: error, server }, 'log lines of a server cannot be written'),
    })
    known.set(instanceId, opened)
    for (const tell of openings) tell(server, { instanceId, log: opened, isRunning: true })
    return opened
  }

  /** The instance is gone for good; its log stays for a while. */
  function close(server: string, instanceId: string): void {
    const known = running.get(server)
    const last = known?.get(instanceId)
    closed.delete(instanceId)
    closed.set(instanceId, ++endings)
    known?.delete(instanceId)
    if (known?.size === 0) running.delete(server)
    for (const tell of closings) tell(server, instanceId)
    pruning = pruning.then(() => last?.flushed()).then(() => prune(server))
  }

  /** Logs of one instance, or of all that run of a server; of a server that runs none that of the newest. Empty for nothing known. */
  async function find(server: string, instanceId?: string): Promise<InstanceLog[]> {
    const known = Array.from(running.get(server) ?? [], ([id, one]) => ({ instanceId: id, log: one, isRunning: true }))
    if (instanceId !== undefined) {
      const found = known.find((one) => one.instanceId === instanceId)
      if (found) return [found]
      return (await ended(server)).filter((one) => one === instanceId).map((one) => stored(server, one))
    }
    if (known.length > 0) return known
    const [newest] = await ended(server)
    return newest === undefined ? [] : [stored(server, newest)]
  }

  /** The instance that ended last before, if its log is still there. */
  async function predecessor(server: string, instanceId: string): Promise<InstanceLog | undefined> {
    const [newest] = (await ended(server)).filter((one) => one !== instanceId)
    return newest === undefined ? undefined : stored(server, newest)
  }

  function stored(server: string, instanceId: string): InstanceLog {
    return { instanceId, log: lineLog({ folder: join(folder, server, instanceId), clock }), isRunning: false }
  }

  /** Instances of a server that run no more, the one that was written to last first. */
  async function ended(server: string): Promise<string[]> {
    const names = (await readdir(join(folder, server)).catch(() => [])).filter((name) => !running.get(server)?.has(name))
    const dated = await Promise.all(names.map(async (name) => ({ name, at: await writtenAt(join(folder, server, name)) })))
    const order = (name: string) => closed.get(name) ?? 0
    return dated.sort((a, b) => order(b.name) - order(a.name) || b.at - a.at).map(({ name }) => name)
  }

  async function prune(server: string): Promise<void> {
    for (const name of (await ended(server)).slice(keptEnded)) await remove(server, name)
  }

  /** What earlier processes left of servers that have not run for long. */
  async function sweep(): Promise<void> {
    for (const server of await readdir(folder).catch(() => []))
      for (const name of await ended(server))
        if ((await writtenAt(join(folder, server, name))) < clock.now() - keptMs) await remove(server, name)
  }

  async function remove(server: string, instanceId: string): Promise<void> {
    closed.delete(instanceId)
    await rm(join(folder, server, instanceId), { recursive: true, force: true }).catch((error: unknown) =>
      log.warn({ err: error, server }, 'the log of an ended instance could not be removed'),
    )
    if (!running.has(server)) await rmdir(join(folder, server)).catch(() => {}) // not empty: others are kept
  }

  function onOpen(listener: (server: string, opened: InstanceLog) => void): () => void {
    openings.add(listener)
    return () => openings.delete(listener)
  }

  function onClose(listener: (server: string, instanceId: string) => void): () => void {
    closings.add(listener)
    return () => closings.delete(listener)
  }

  async function flushed(): Promise<void> {
    await Promise.all([...running.values()].flatMap((known) => Array.from(known.values(), (one) => one.flushed())))
    await pruning
  }
}

/** When a log was last written to; 0 for one that is empty. */
async function writtenAt(path: string): Promise<number> {
  const names = await readdir(path).catch(() => [])
  const times = await Promise.all(
    names.map((name) =>
      stat(join(path, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  )
  return Math.max(0, ...times)
}
