import type { McpAnswer, McpAsk, McpCall } from '../../../mcp/connection.ts'
import { isObject, metaOf, rpcCodes, type Params } from '../../../mcp/protocol.ts'
import type { Lease } from '../../../servers/supervision.ts'
import type { Incoming } from '../../perform.ts'
import type { ServerBook } from '../../server-book.ts'

/** A question of the server that its client has not answered. */
type OpenQuestion = { method: string; params: Params | undefined; settle: (answer: McpAnswer) => void }

/** Where a server says under which key it wants to be answered; the legacy era has no keys. */
const keyHint = 'dev.mcpg/inputKey'
/** Of what a server tells while nobody listens. */
const maxKept = 100

/**
 * One call of a modern client in a process of its own at a legacy server, over as many requests of the client as it takes:
 *
 *   active (a leg) ─ asked, then quiet ─▶ parked (no leg) ─ retry ─▶ active …
 *   parked ─ the server answers, or dies ─▶ held, until the retry takes exactly that
 *   parked ─ too long, or given up for another ─▶ cancelled
 */
export type Run = {
  id: string
  caller: string
  bound: Buffer
  book: ServerBook
  lease: Lease
  call: McpCall
  /** The request of the client that waits for the answer; none while parked. */
  leg: Incoming | undefined
  round: number
  parkedAt: number
  questions: Map<string, OpenQuestion>
  /** Answers that came with the first request. */
  ahead: Params
  /** What the server said while nobody listened. */
  kept: { method: string; params: Params }[]
  /** The end of the call, told to whoever takes it. */
  outcome: ((leg: Incoming) => void) | undefined
  asked: number
  cancelQuiet: () => void
  cancelExpiry: () => void
}

/** Resolves with the client's answer; `onOpen` when the client has to be asked for it first. */
export function ask(run: Run, question: McpAsk, onOpen: (question: McpAsk) => () => void): Promise<McpAnswer> {
  const hint = metaOf(question.params)?.[keyHint]
  const base = typeof hint === 'string' && hint !== '' ? hint : `ask_${++run.asked}`
  const key = run.questions.has(base) ? `${base}_${++run.asked}` : base
  const { [key]: ready, ...ahead } = run.ahead
  if (isObject(ready)) {
    run.ahead = ahead
    return Promise.resolve({ result: ready })
  }
  return new Promise((resolve) => {
    const settle = (answer: McpAnswer) => {
      if (!run.questions.delete(key)) return
      closed()
      resolve(answer)
    }
    run.questions.set(key, { method: question.method, params: forModern(question), settle })
    const closed = onOpen(question)
    question.withdrawn = (reason) => settle(refusal(reason))
  })
}

/** Unknown keys are ignored, and what is no answer leaves its question open. */
export function takeAnswers(run: Run, inputResponses: unknown): void {
  const given = isObject(inputResponses) ? inputResponses : {}
  for (const [key, { settle }] of run.questions) if (isObject(given[key])) settle({ result: given[key] })
}

export function refuseQuestions(run: Run, reason: string): void {
  for (const { settle } of run.questions.values()) settle(refusal(reason))
}

export function inputRequestsOf(run: Run): Params {
  return Object.fromEntries([...run.questions].map(([key, { method, params }]) => [key, { method, ...(params && { params }) }]))
}

/** To the client's request that is open, under that request's own progress token; what nobody hears now is kept, of progress the last. */
export function tell(run: Run, method: string, params: Params): void {
  const { leg } = run
  if (leg) return toLeg(leg, method, params)
  if (method === 'notifications/progress') run.kept = run.kept.filter((one) => one.method !== method)
  if (run.kept.length < maxKept) run.kept.push({ method, params })
}

export function tellKept(run: Run): void {
  const { kept } = run
  run.kept = []
  for (const { method, params } of kept) tell(run, method, params)
}

function toLeg(leg: Incoming, method: string, params: Params): void {
  if (method !== 'notifications/progress') return leg.notify?.(method, params)
  const progressToken = metaOf(leg.params)?.['progressToken']
  if (progressToken !== undefined) leg.notify?.(method, { ...params, progressToken })
}

/** Without what only the legacy era, or only this gateway, knows. */
function forModern({ method, params }: McpAsk): Params | undefined {
  if (params === undefined) return undefined
  const { _meta, ...rest } = params
  const { [keyHint]: _hint, progressToken: _token, ...meta } = metaOf(params) ?? {}
  if (method === 'elicitation/create') delete rest['elicitationId']
  return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest
}

function refusal(message: string): McpAnswer {
  return { error: { code: rpcCodes.invalidRequest, message } }
}
