import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** An answer that goes on for as long as somebody reads it. */
export type LongAnswer = {
  /** Resolves once the reader has room for more. Rejects when it is gone meanwhile. */
  write: (text: string) => Promise<void>
  /** Without waiting for the reader; for the few bytes of a keep-alive. */
  mark: (text: string) => void
  end: () => void
}

/** How long somebody who has signed out, or lost a right, is still told of things. */
const recheckMs = 5_000

/** Answers of one feature that do not end by themselves; they end when the listener closes, which they would hold up. */
export function longAnswers(app: FastifyInstance) {
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  return { signalOf, begin }

  /** Aborts when the reader is gone, the listener closes, or whoever reads is no longer who they were at the beginning. */
  function signalOf(request: FastifyRequest): { gone: AbortSignal; ended: AbortSignal } {
    const gone = new AbortController()
    request.raw.socket.once('close', () => gone.abort())
    return { gone: gone.signal, ended: AbortSignal.any([closing.signal, gone.signal, lapsed(request, gone.signal)]) }
  }

  function lapsed({ stillHolds }: FastifyRequest, gone: AbortSignal): AbortSignal {
    const lapse = new AbortController()
    void look().catch(() => {})
    return lapse.signal

    async function look(): Promise<void> {
      do await delay(recheckMs, undefined, { signal: gone, ref: false })
      while (await stillHolds())
      lapse.abort()
    }
  }

  /** Takes the answer over; its status and headers are sent at once. */
  function begin(reply: FastifyReply, contentType: string, gone: AbortSignal): LongAnswer {
    reply.hijack()
    const response = reply.raw
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) response.setHeader(name, value)
    response.writeHead(200, {
      'content-type': contentType,
      'x-accel-buffering': 'no',
      // Its end is the end of the connection, so that a stopping listener has nothing left to wait for.
      connection: 'close',
    })
    response.flushHeaders()
    return {
      async write(text) {
        if (!response.write(text)) await once(response, 'drain', { signal: gone })
      },
      mark: (text) => void response.write(text),
      end: () => void response.end(),
    }
  }
}
