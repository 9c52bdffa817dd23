import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { McpAnswer, McpAsk } from '../../mcp/connection.ts'
import { failureOf } from '../../mcp/answer-text.ts'
import { isObject, metaOf, rpcCodes, type Params } from '../../mcp/protocol.ts'
import { writeEvent, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { stillOpen } from './still-open.ts'

export type SessionAsks = ReturnType<typeof sessionAsks>

/**
 * Questions of servers to legacy clients, as real requests with ids of ours: on the stream of the call they belong to, else on that of
 * the session's latest call, else on its GET stream.
 */
export function sessionAsks({ clock, timers }: { clock: Clock; timers: Timers }) {
  let lastId = 0
  return { ask, answered, progressed, abandon }

  function ask(session: Session, question: McpAsk, leg?: Reply): Promise<McpAnswer> {
    const id = `mcpg-${++lastId}`
    const send = streamOf(session, leg, requestText(id, question))
    if (!send) return Promise.resolve(refusal('The client has no open stream on which it could be asked.'))
    return new Promise((resolve) => {
      const cancelTimer = clock.after(timers.parked, () => {
        withdraw('Nobody answered in time.')
        settle(refusal(`The client did not answer within ${timers.parked / 1000} s.`))
      })
      const cancelNews = stillOpen(question, { clock, ms: timers.askProgress })
      const settle = (answer: McpAnswer) => {
        if (!session.asks.delete(id)) return
        cancelTimer()
        cancelNews()
        resolve(answer)
      }
      session.asks.set(id, { settle, progress: question.report })
      question.withdrawn = (reason) => {
        withdraw(reason)
        settle(refusal(reason))
      }
    })

    function withdraw(reason: string): void {
      send?.(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${JSON.stringify({ requestId: id, reason })}}`)
    }
  }

  /** False when nobody asked this, or somebody has answered it already. */
  function answered(session: Session, { id, result, error }: Params): boolean {
    const open = typeof id === 'string' ? session.asks.get(id) : undefined
    open?.settle(isObject(result) ? { result } : { error: failureOf(error) })
    return open !== undefined
  }

  /** Progress of the client's own work on a question. */
  function progressed(session: Session, params: Params): void {
    const { progressToken, ...progress } = params
    if (typeof progressToken === 'string') session.asks.get(progressToken)?.progress?.(progress)
  }

  function abandon(session: Session): void {
    for (const { settle } of session.asks.values()) settle(refusal('The client has ended its session.'))
  }
}

function requestText(id: string, { method, params }: McpAsk): string {
  const meta = metaOf(params)
  const own = params && meta?.['progressToken'] !== undefined ? { ...params, _meta: { ...meta, progressToken: id } } : params
  const text = own === undefined ? '' : `,"params":${JSON.stringify(own)}`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)}${text}}`
}

/** Sends the text on the first stream that takes it, and gives that stream for what follows. */
function streamOf(session: Session, leg: Reply | undefined, text: string): ((text: string) => void) | undefined {
  for (const reply of [...(leg ? [leg] : []), ...[...session.legs].reverse()]) if (reply.send(text)) return (more) => void reply.send(more)
  for (const stream of session.streams) {
    if (stream.destroyed) continue
    writeEvent(stream, text)
    return (more) => writeEvent(stream, more)
  }
  return undefined
}

function refusal(message: string): McpAnswer {
  return { error: { code: rpcCodes.invalidRequest, message } }
}
