import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import canonicalize from 'canonicalize'
import { ownChild, type OwnChild, type StartOwn } from './own-child.ts'
import type { InstanceReport, Lease, OwnChildren, OwnWish } from './supervision.ts'

/** Processes one caller may hold of one server: each is one call at a time. */
const maxPerCaller = 4
/** After a start that failed the next one is not tried for this long: callers that come again at once must not become a storm. */
const failedStartMs = 1_000

type Pool = OwnChildren & {
  report(): InstanceReport[]
  /** False when none has this id; its owner gets another with the next call. */
  stopInstance(instanceId: string): boolean
  /** Nothing new is handed out, and what is idle ends. */
  retire(): void
  isBusy(): boolean
  stop(): Promise<void>
}

type Deps = {
  name: string
  maxSessions: number
  /** How long a call that finds every process taken waits in all. */
  waitMs: number
  start: StartOwn
  timers: Timers
  clock: Clock
  onChange: () => void
}

/**
 * The processes of one server that belong to one owner for life, by owner and by what was declared for it. An exclusive one serves one
 * call at a time; when all that a caller may have are taken its next call waits, and after a while the caller's oldest parked call is
 * given up for it: at once, and live calls would evict each other.
 */
export function ownChildren({ name, maxSessions, waitMs, start, timers, clock, onChange }: Deps): Pool {
  const children = new Set<OwnChild>()
  const leaving = new Set<OwnChild>()
  /** Sessions that have a place, by when they used it last. */
  const places = new Map<string, number>()
  const waiting = new Set<() => void>()
  let closed: string | undefined
  let failed: { at: number; why: string } | undefined
  let cancelSweep: (() => void) | undefined
  return { reserve, acquire, end, report, stopInstance, retire, isBusy, stop }

  function reserve(session: string): boolean {
    if (!places.has(session) && taken() >= maxSessions && !dropIdle()) return false
    places.set(session, clock.monotonic())
    sweepLater()
    return true
  }

  /** Places and callers' processes are counted together: each can be a process. */
  function taken(): number {
    return places.size + [...children].filter(({ belongsTo }) => belongsTo === 'caller').length
  }

  async function acquire(wish: OwnWish): Promise<Lease | { unavailable: string; isFull?: boolean }> {
    if (wish.belongsTo === 'session' && !reserve(wish.owner))
      return { unavailable: `all ${maxSessions} sessions of server ${name} are in use`, isFull: true }
    const key = `${wish.belongsTo} ${wish.owner} ${canonicalize(wish.capabilities) ?? ''}`
    const until = clock.monotonic() + waitMs
    let hasEvicted = false
    for (;;) {
      if (closed !== undefined) return { unavailable: closed }
      const child = usable(key, wish)
      if (typeof child === 'object') return await begin(child, wish)
      if (child !== undefined) return { unavailable: child }
      const left = until - clock.monotonic()
      if (left <= 0 || wish.signal?.aborted)
        return { unavailable: `all processes of server ${name} for this caller are busy`, isFull: true }
      await change(hasEvicted ? left : Math.min(left, timers.evictParked), wish.signal)
      if (!hasEvicted && clock.monotonic() - (until - waitMs) >= timers.evictParked) hasEvicted = giveUpOldest(wish.owner)
    }
  }

  /** One that is free, or a new one; a sentence when none can be started; undefined: wait. */
  function usable(key: string, wish: OwnWish): OwnChild | string | undefined {
    const { owner, belongsTo, exclusive } = wish
    const mine = [...children].filter((one) => one.key === key)
    const free = mine.find((one) => !exclusive || one.held === 0)
    if (free) return free
    if (failed && clock.monotonic() - failed.at < failedStartMs) return failed.why
    if (belongsTo === 'caller' && ofOwner(owner) >= maxPerCaller && !dropIdle(owner)) return undefined
    if (belongsTo === 'caller' && taken() >= maxSessions && !dropIdle()) return undefined
    const child = ownChild(wish, { key, start, now: clock.monotonic(), onEnd: remove })
    children.add(child)
    sweepLater()
    onChange()
    return child
  }

  function ofOwner(owner: string): number {
    return [...children].filter((one) => one.owner === owner && one.belongsTo === 'caller').length
  }

  /** Ends the idle process of a caller that was used longest ago. */
  function dropIdle(owner?: string): boolean {
    const idle = [...children].filter((one) => one.belongsTo === 'caller' && one.held === 0 && (owner === undefined || one.owner === owner))
    const oldest = idle.sort((a, b) => a.usedAt - b.usedAt)[0]
    if (oldest) remove(oldest)
    return oldest !== undefined
  }

  async function begin(child: OwnChild, { exclusive }: OwnWish): Promise<Lease | { unavailable: string }> {
    child.held++
    const ended = await child.started
    const connection = child.connection()
    if (ended || !connection) {
      remove(child)
      release(child)
      const why = ended ? `${ended.reason}: ${ended.message}` : 'it does not answer'
      if (ended) failed = { at: clock.monotonic(), why: `a process of server ${name} for this client could not be started (${why})` }
      return { unavailable: failed?.why ?? why }
    }
    child.instance.load.calls++
    let isHeld = true
    return {
      instanceId: child.instance.id,
      connection,
      onAsk: (answer) => (child.answer = answer),
      park: (giveUp) => (child.parked = { at: clock.monotonic(), giveUp }),
      resume: () => (child.parked = undefined),
      release() {
        if (!isHeld) return
        isHeld = false
        child.instance.load.calls--
        // What it asks after its call is nobody's question.
        if (exclusive) child.answer = undefined
        child.parked = undefined
        release(child)
      },
    }
  }

  function release(child: OwnChild): void {
    child.held--
    child.usedAt = clock.monotonic()
    if (child.belongsTo === 'session' && places.has(child.owner)) places.set(child.owner, child.usedAt)
    if (closed !== undefined && child.held === 0) remove(child)
    wake()
  }

  function giveUpOldest(owner: string): boolean {
    const parked = [...children].filter((one) => one.owner === owner && one.parked)
    const oldest = parked.sort((a, b) => a.parked!.at - b.parked!.at)[0]
    oldest?.parked?.giveUp()
    return oldest !== undefined
  }

  function wake(): void {
    const all = [...waiting]
    waiting.clear()
    for (const resolve of all) resolve()
  }

  /** Until something was given back, for so long at most. */
  function change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = clock.after(ms, done)
      waiting.add(done)
      signal?.addEventListener('abort', done)
    })
  }

  function remove(child: OwnChild): void {
    if (!children.delete(child)) return
    leaving.add(child)
    void child.stop().then(() => {
      leaving.delete(child)
      onChange()
    })
    wake()
    onChange()
  }

  function end(session: string): void {
    places.delete(session)
    for (const child of children) if (child.belongsTo === 'session' && child.owner === session) remove(child)
    wake()
  }

  function sweepLater(): void {
    const period = Math.min(timers.sessionChildIdle, timers.callerChildIdle) / 4
    if (closed === undefined) cancelSweep ??= clock.after(period, sweep)
  }

  function sweep(): void {
    cancelSweep = undefined
    const now = clock.monotonic()
    for (const child of children) {
      const idleMs = child.belongsTo === 'session' ? timers.sessionChildIdle : timers.callerChildIdle
      if (child.held === 0 && now - child.usedAt >= idleMs) remove(child)
    }
    const busy = new Set([...children].map(({ owner }) => owner))
    for (const [session, usedAt] of places) if (!busy.has(session) && now - usedAt >= timers.sessionChildIdle) places.delete(session)
    if (children.size > 0 || places.size > 0) sweepLater()
  }

  function report(): InstanceReport[] {
    const gone = [...leaving].map((one): InstanceReport => ({ ...one.instance.report(), state: 'stopping' }))
    return [...[...children].map((one) => one.instance.report()), ...gone]
  }

  function stopInstance(instanceId: string): boolean {
    const child = [...children].find((one) => one.instance.id === instanceId)
    if (child) remove(child)
    return child !== undefined
  }

  function retire(): void {
    closed ??= `server ${name} is being replaced or stopped`
    cancelSweep?.()
    for (const child of children) if (child.held === 0) remove(child)
    wake()
  }

  function isBusy(): boolean {
    return [...children].some(({ held }) => held > 0)
  }

  async function stop(): Promise<void> {
    retire()
    for (const child of children) remove(child)
    await Promise.all([...leaving].map((one) => one.stop()))
  }
}
