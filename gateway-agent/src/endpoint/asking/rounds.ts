import { randomUUID } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import { capabilityFor } from '../../mcp/asks.ts'
import type { McpAnswer, McpAsk, McpCall, McpConnection, McpOutcome } from '../../mcp/connection.ts'
import { isObject, type Params } from '../../mcp/protocol.ts'
import type { Incoming } from '../perform.ts'
import type { Session } from '../session.ts'
import type { SessionAsks } from './session-asks.ts'

/** As many as the SDK of the modern era allows its own clients. */
const maxRounds = 10

export type InputRequest = { key: string; method: string; params: Params | undefined }

type Asked = { incoming: Incoming; session: Session; allowed: Params; connection: McpConnection; timeoutMs: number; asks: SessionAsks }

/**
 * What a modern server wants first, asked of a legacy client by real requests, all of a round at once; then the call again with the
 * answers, until it is complete. Rejects with McpgError when the client refuses or cancels, or the server asks for what it must not.
 */
export async function askInRounds(asked: Asked, first: McpOutcome, call: McpCall): Promise<McpOutcome> {
  let outcome = first
  for (let round = 0; isInputRequired(outcome); round++) {
    if (round >= maxRounds) throw refused('too_many_rounds', `The server wanted something more than ${maxRounds} times.`)
    const inputResponses = await askAll(asked, inputRequests(outcome.result))
    const { requestState } = outcome.result
    const params = { ...call.params, inputResponses, ...(requestState === undefined ? {} : { requestState }) }
    const again: McpCall = { ...call, params, timeoutMs: asked.timeoutMs }
    asked.incoming.started(again)
    outcome = await asked.connection.request(again)
  }
  return outcome
}

export function isInputRequired(outcome: McpOutcome): outcome is { result: Params } {
  return 'result' in outcome && outcome.result['resultType'] === 'input_required'
}

export function inputRequests({ inputRequests: all }: Params): InputRequest[] {
  return Object.entries(isObject(all) ? all : {}).map(([key, one]) => {
    const { method, params } = isObject(one) ? one : {}
    return { key, method: String(method), params: isObject(params) ? params : undefined }
  })
}

async function askAll({ incoming, session, allowed, asks }: Asked, wanted: InputRequest[]): Promise<Params> {
  for (const { method } of wanted)
    if (allowed[capabilityFor(method) ?? ''] === undefined)
      throw refused('not_declared', `The server asked the client for ${method}, which it must not.`)
  const open: McpAsk[] = wanted.map(({ method, params }) => ({
    method,
    params: withElicitationId(method, params),
    report: undefined,
    withdrawn: undefined,
  }))
  const cancelled = Promise.withResolvers<never>()
  // Between two calls there is nothing to cancel at the server: the questions are withdrawn.
  incoming.started({
    method: incoming.method,
    cancel: (reason) => {
      cancelled.reject(new McpgError('gone', 'call_cancelled', `${incoming.method} was cancelled by its caller.`))
      for (const ask of open) ask.withdrawn?.(reason)
    },
  })
  const answers = await Promise.race([Promise.all(open.map((ask) => asks.ask(session, ask, incoming.reply))), cancelled.promise])
  return Object.fromEntries(wanted.map(({ key, method }, index) => [key, resultOf(method, answers[index]!)]))
}

function resultOf(method: string, answer: McpAnswer): Params {
  if ('result' in answer) return answer.result
  throw refused('client_refused', `The client answered ${method} with an error: ${answer.error.message}`)
}

/** The legacy era knows questions by URL by an id, which the modern era has dropped. */
function withElicitationId(method: string, params: Params | undefined): Params | undefined {
  const isByUrl = method === 'elicitation/create' && params?.['mode'] === 'url' && params['elicitationId'] === undefined
  return isByUrl ? { ...params, elicitationId: randomUUID() } : params
}

function refused(reason: string, message: string): McpgError {
  return new McpgError('failed_precondition', reason, message)
}
