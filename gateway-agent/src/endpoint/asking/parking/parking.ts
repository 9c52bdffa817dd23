import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { McpAsk, McpCall, McpConnection } from '../../../mcp/connection.ts'
import { isObject, metaKeys, metaOf, type Params } from '../../../mcp/protocol.ts'
import type { Incoming, Performer } from '../../perform.ts'
import { unavailableText, type Route, type Target } from '../../target.ts'
import { stillOpen } from '../still-open.ts'
import { busy, expired, notReadable, restarted, unknownEnd, used, type Ending } from './endings.ts'
import { ask, inputRequestsOf, refuseQuestions, takeAnswers, tell, tellKept, type Run } from './run.ts'
import { boundTo, type StateSeal } from './state-seal.ts'

const maxPerCaller = 16
const maxParked = 256
/** Ends of calls that are remembered for a late retry; the oldest is forgotten first. */
const maxEndings = 1_000

type Deps = { performer: Performer; seal: StateSeal; clock: Clock; timers: Timers }

export type Parking = ReturnType<typeof parking>

/**
 * Calls of modern clients at legacy servers, parked while the server waits for the client. A call is executed once: whatever a retry
 * brings, it finds the call it belongs to or is told what became of it.
 */
export function parking({ performer, seal, clock, timers }: Deps) {
  const boot = randomBytes(9).toString('base64url')
  const runs = new Map<string, Run>()
  const endings = new Map<string, Ending>()
  /** Conversations whose log level has been set to the most verbose one. */
  const verbose = new WeakSet<McpConnection>()
  return { start, resume, stop, count: () => runs.size }

  async function start(incoming: Incoming, bound: Buffer, route: Route, allowed: Params): Promise<void> {
    const { book } = route
    const caller = incoming.caller()
    const gone = new AbortController()
    incoming.started({ method: incoming.method, cancel: () => gone.abort() })
    const wish = { owner: caller, belongsTo: 'caller', capabilities: allowed, exclusive: true, signal: gone.signal } as const
    const lease = await book.server.own.acquire(wish)
    if ('unavailable' in lease || gone.signal.aborted) {
      if ('release' in lease) lease.release()
      incoming.ended()
      if (gone.signal.aborted) return incoming.reply.nothing()
      const { unavailable, isFull } = lease as { unavailable: string; isFull?: boolean }
      return performer.refuse(incoming, unavailableText(book.name, unavailable), isFull ? busy : {})
    }
    if (incoming.note) incoming.note.instance = lease.instanceId
    const { params, ahead } = forLegacy(route.params)
    const call: McpCall = { method: incoming.method, params, timeoutMs: book.server.config.callTimeoutMs }
    const run: Run = {
      id: randomBytes(9).toString('base64url'),
      caller,
      bound,
      book,
      lease,
      call,
      leg: incoming,
      round: 0,
      parkedAt: 0,
      questions: new Map(),
      ahead,
      kept: [],
      outcome: undefined,
      asked: 0,
      cancelQuiet: () => {},
      cancelExpiry: () => {},
    }
    call.onNotification = (method, details) => tell(run, method, details)
    lease.onAsk((question) => ask(run, question, (open) => onQuestion(run, open)))
    if (incoming.notify) beVerbose(lease.connection)
    runs.set(run.id, run)
    const answered = lease.connection.request(call)
    incoming.started(call)
    const { connection } = lease
    await answered.then(
      (outcome) => settled(run, (leg) => performer.answer(leg, { rewrite: route.rewrite, connection, call }, outcome)),
      (error: unknown) => settled(run, failure(run, error)),
    )
  }

  /** While nobody waits, the end of the server is the end of the call, and not an answer of the server. */
  function failure(run: Run, error: unknown): (leg: Incoming) => void {
    const message = error instanceof Error ? error.message : String(error)
    if (run.leg) return (leg) => performer.failed(leg, run.book, error)
    return ({ reply }) => reply.error(unknownEnd('upstream_died', `The server has ended while it waited for this answer: ${message}`))
  }

  function beVerbose(connection: McpConnection): void {
    if (verbose.has(connection) || !isObject(connection.capabilities['logging'])) return
    verbose.add(connection)
    connection.request({ method: 'logging/setLevel', params: { level: 'debug' } }).catch(() => verbose.delete(connection))
  }

  /** A question came. Those that come together are asked together. */
  function onQuestion(run: Run, question: McpAsk): () => void {
    // A person may take longer than a call may.
    run.call.extend?.(timers.parked + run.book.server.config.callTimeoutMs)
    park(run)
    return stillOpen(question, { clock, ms: timers.askProgress })
  }

  function park(run: Run): void {
    run.cancelQuiet()
    run.cancelQuiet = clock.after(timers.asksTogether, () => parkNow(run))
  }

  function parkNow(run: Run): void {
    const { leg } = run
    if (!leg || run.questions.size === 0 || !runs.has(run.id)) return
    if (!makeRoom(run)) {
      giveUp(run, 'given_up')
      return performer.refuse(leg, `Too many calls wait for their clients (${maxParked}).`, busy)
    }
    run.leg = undefined
    run.round++
    run.parkedAt = clock.monotonic()
    run.cancelExpiry = clock.after(timers.parked, () => giveUp(run, 'expired'))
    run.lease.park(() => giveUp(run, 'given_up'))
    const expiresAt = clock.now() + timers.parked
    const requestState = seal.seal({ boot, run: run.id, round: run.round, expiresAt }, run.bound)
    const { serverInfo } = run.lease.connection
    const _meta = { [metaKeys.serverInfo]: serverInfo }
    leg.reply.result(JSON.stringify({ resultType: 'input_required', inputRequests: inputRequestsOf(run), requestState, _meta }))
    leg.ended()
  }

  /** A caller's new parked call takes the place of its own oldest, never that of somebody else. */
  function makeRoom({ caller }: Run): boolean {
    const parked = [...runs.values()].filter((one) => one.leg === undefined)
    const mine = parked.filter((one) => one.caller === caller).sort((a, b) => a.parkedAt - b.parkedAt)
    if (mine.length < maxPerCaller && parked.length < maxParked) return true
    if (!mine[0]) return false
    giveUp(mine[0], 'given_up')
    return true
  }

  /** True when the request brought a state of ours, and has been answered or taken up. */
  function resume(incoming: Incoming, target: Target): boolean {
    const { params, method, reply } = incoming
    const sealed = params['requestState']
    if (!seal.isOurs(sealed)) return false
    const state = seal.open(sealed, boundTo(incoming.caller(), target.path, method, params))
    const run = state && runs.get(state.run)
    if (!state) reply.error(notReadable('invalid_request_state'))
    else if (state.boot !== boot) reply.error(restarted())
    else if (state.expiresAt <= clock.now()) reply.error(expired(timers.parked))
    else if (!run) reply.error(unknownEnd('call_ended', endingText(endings.get(state.run))))
    else if (state.round !== run.round || run.leg) reply.error(used())
    else takeUp(run, incoming)
    return true
  }

  function takeUp(run: Run, incoming: Incoming): void {
    run.cancelExpiry()
    run.leg = incoming
    if (incoming.note) incoming.note.instance = run.lease.instanceId
    if (run.outcome) {
      tellKept(run)
      return finish(run, run.outcome)
    }
    run.lease.resume()
    incoming.started(run.call)
    tellKept(run)
    takeAnswers(run, incoming.params['inputResponses'])
    if (run.questions.size > 0) return park(run)
    run.call.extend?.(run.book.server.config.callTimeoutMs)
  }

  /** The server has answered, or the call has ended in another way. */
  function settled(run: Run, outcome: (leg: Incoming) => void): void {
    run.cancelQuiet()
    refuseQuestions(run, 'The call has ended.')
    run.lease.release()
    if (run.leg) finish(run, outcome)
    else run.outcome = outcome
  }

  function finish(run: Run, outcome: (leg: Incoming) => void): void {
    const { leg } = run
    forget(run, 'answered')
    if (!leg) return
    outcome(leg)
    leg.ended()
  }

  /** The call ends at the server too; a retry that comes later is told why. */
  function giveUp(run: Run, why: Ending): void {
    forget(run, why)
    run.cancelQuiet()
    refuseQuestions(run, 'The call was given up.')
    run.call.cancel?.('The client did not come back with an answer.')
  }

  function forget(run: Run, why: Ending): void {
    run.cancelExpiry()
    runs.delete(run.id)
    endings.set(run.id, why)
    if (endings.size > maxEndings) for (const oldest of endings.keys()) return void endings.delete(oldest)
  }

  function stop(): void {
    for (const run of runs.values()) giveUp(run, 'given_up')
  }
}

/** What a legacy server gets of a modern request; progress is always wanted, a leg may ask for it later. */
function forLegacy(params: Params): { params: Params; ahead: Params } {
  const { inputResponses, requestState: _state, ...rest } = params
  return {
    params: { ...rest, _meta: { ...metaOf(params), progressToken: 0 } },
    ahead: isObject(inputResponses) ? inputResponses : {},
  }
}

function endingText(why: Ending | undefined): string {
  if (why === 'given_up') return 'The call was given up because others of the same caller waited'
  if (why === 'answered') return 'The call has been answered already'
  return 'The call has ended'
}
