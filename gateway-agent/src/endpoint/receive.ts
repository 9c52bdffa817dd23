import type { ServerResponse } from 'node:http'
import { acceptsBody } from '@mcpg/core/http-guard'
import { isObject, rpcCodes } from '../mcp/protocol.ts'
import { readBody } from './body.ts'
import { isRequest, type legacyFront } from './legacy-front.ts'
import type { modernFront } from './modern-front.ts'
import { eraOf, isModern } from './modern-rules.ts'
import type { Post } from './post.ts'
import { errorText, sendJson } from './reply.ts'

const maxBodyBytes = 4 * 1024 * 1024

type Fronts = { modern: ReturnType<typeof modernFront>; legacy: ReturnType<typeof legacyFront> }

/** From a POST to the front of its era: one read, one parse. `guarded` runs what may fail and answers for it. */
export function receiver({ modern, legacy }: Fronts, guarded: (post: Post, run: () => Promise<void> | void) => void) {
  return receive

  function receive(post: Post): void {
    const { request, response } = post
    const type = request.headers['content-type']
    if (type !== 'application/json' && !acceptsBody('POST', type, true))
      return sendJson(response, 415, errorText('null', { code: rpcCodes.invalidRequest, message: 'The body must be application/json.' }))
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return refuseSize(post)
    readBody(request, maxBodyBytes, (text) => {
      if (text === null) return refuseSize(post)
      if (request.headers['content-length'] === undefined) post.bytes = Buffer.byteLength(text)
      guarded(post, () => parse(post, text))
    })
  }

  /** What is still on its way is not read. */
  function refuseSize({ request, response }: Post): void {
    response.once('finish', () => request.destroy())
    const failure = { code: rpcCodes.invalidParams, message: `The request has more than ${maxBodyBytes} bytes.` }
    sendJson(response, 413, errorText('null', failure), { connection: 'close' })
  }

  function parse(post: Post, text: string): Promise<void> | void {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return sendJson(post.response, 400, errorText('null', { code: rpcCodes.parseError, message: 'The body is not JSON.' }))
    }
    const version = post.request.headers['mcp-protocol-version'] as string | undefined
    if (isRequest(message)) {
      return eraOf(message.method, message.params, version) === 'modern' ? modern.serve(post, message) : legacy.serve(post, message)
    }
    return withoutAnswer(post, message, version)
  }

  function withoutAnswer(post: Post, message: unknown, version: string | undefined): Promise<void> | void {
    if (Array.isArray(message)) {
      if (isModern(version)) return refuseShape(post.response, 'Batches are not part of this protocol version.')
      return legacy.serveBatch(post, message)
    }
    if (!isObject(message)) return refuseShape(post.response, 'Not a JSON-RPC message.')
    const { id, method, params, result, error } = message
    const isNotification = typeof method === 'string' && id === undefined
    if (isNotification && eraOf(method, isObject(params) ? params : undefined, version) === 'modern')
      return void post.response.writeHead(202, { 'content-length': 0 }).end()
    const isAnswer = method === undefined && id !== undefined && (result !== undefined || error !== undefined)
    if (isNotification || (isAnswer && !isModern(version))) return legacy.accept(post, message)
    refuseShape(post.response, 'Not a JSON-RPC message.')
  }
}

function refuseShape(response: ServerResponse, message: string): void {
  sendJson(response, 400, errorText('null', { code: rpcCodes.invalidRequest, message }))
}
