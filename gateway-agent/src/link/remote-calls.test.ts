import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { McpCloseSchema, McpDataSchema, McpOpenSchema, McpWindowSchema } from '@mcpg/proto/gen/delivery'
import { linkedAgent } from '../../test/agent-bench.ts'
import { framesOf, type Session } from '../../test/fake-control-plane.ts'
import { until } from '../../test/until.ts'

type Agent = Awaited<ReturnType<typeof linkedAgent>>
const agents: Agent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
})

const kib = (count: number) => count * 1024

/** An agent whose endpoint answers with `served`, and the session that the control plane has with it. */
async function connected(served: RequestListener, isAllowed = true): Promise<{ session: Session; agent: Agent }> {
  const agent = await linkedAgent({ served, isAllowed })
  agents.push(agent)
  return { session: await agent.plane.session(), agent }
}

function open(session: Session, init: MessageInitShape<typeof McpOpenSchema> = {}): void {
  const body = Buffer.from('{"jsonrpc":"2.0","id":7,"method":"ping"}')
  const value = create(McpOpenSchema, { streamId: 's', path: '/mcp', body, windowBytes: kib(256), ...init })
  session.send({ case: 'mcpOpen', value })
}

const grant = (session: Session, addBytes: number) =>
  session.send({ case: 'mcpWindow', value: create(McpWindowSchema, { streamId: 's', addBytes }) })
const cancel = (session: Session) =>
  session.send({ case: 'mcpClose', value: create(McpCloseSchema, { streamId: 's', reason: 'cancelled' }) })
const answered = (session: Session) => Buffer.concat(framesOf(session, 'mcpData').map(({ data }) => data))
const closed = (session: Session) => until('the close', () => framesOf(session, 'mcpClose')[0])

/** Reads the whole body of a request. */
const bodyOf = async (request: AsyncIterable<Buffer>) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('a call of the control plane', () => {
  it('reaches the endpoint with the headers of MCP and nothing else, and its answer goes back', async () => {
    const seen: unknown[] = []
    const { session } = await connected(async (request, response) => {
      seen.push(request.method, request.url, request.headers, await bodyOf(request))
      response.writeHead(201, { 'content-type': 'application/json', 'mcp-session-id': 'abc', 'x-other': 'no' }).end('{"ok":true}')
    })
    open(session, { path: '/mcp/servers/a', headers: { accept: '*/*', 'mcp-method': 'ping', authorization: 'Bearer x' } })
    await until('the answer', () => framesOf(session, 'mcpData').some(({ last }) => last))
    expect(seen).toEqual([
      'POST',
      '/mcp/servers/a',
      {
        accept: '*/*',
        'mcp-method': 'ping',
        'content-type': 'application/json',
        'content-length': '40',
        host: 'localhost',
        connection: 'close',
      },
      '{"jsonrpc":"2.0","id":7,"method":"ping"}',
    ])
    const [head] = framesOf(session, 'mcpHead')
    expect(head).toMatchObject({ streamId: 's', status: 201 })
    expect(head?.headers).toEqual({ 'content-type': 'application/json', 'mcp-session-id': 'abc', 'mcpg-state-key': 'abcd1234' })
    expect(answered(session).toString()).toBe('{"ok":true}')
  })

  it('is of whom it is made for and of who makes it, apart from both alone', async () => {
    const seen: unknown[] = []
    const { session } = await connected((request, response) => {
      seen.push(agents.at(-1)!.door.admittedOf(request))
      response.end('{}')
    })
    const admitted = async (caller: { subject: string; impersonator?: string; tokenId?: string }) => {
      const before = seen.length
      open(session, { streamId: JSON.stringify(caller), caller })
      return await until('the call', () => seen[before])
    }
    const [eve, both] = [await admitted({ subject: 'eve', tokenId: 'tok_1' }), await admitted({ subject: 'eve', impersonator: 'ada' })]
    expect(eve).toEqual({ principal: 'control-plane:eve', subject: 'eve', tokenId: 'tok_1' })
    expect(both).toEqual({ principal: 'control-plane:eve by ada', subject: 'eve', impersonator: 'ada' })
  })

  it('is refused when it names a grant that this agent does not know, instead of being shown more', async () => {
    let wasServed = false
    const { session } = await connected((_request, response) => {
      wasServed = true
      response.end('{}')
    })
    const caller = { subject: 'ada', restricted: true, grants: ['{"on":"moons"}'] }
    open(session, { caller })
    expect([(await closed(session)).reason, wasServed]).toEqual(['refused', false])
  })

  it('puts a long message together, of which it grants one part after the other', async () => {
    let size = 0
    const { session } = await connected(async (request, response) => {
      size = (await bodyOf(request)).length
      response.end()
    })
    const total = kib(600)
    let sent = kib(16)
    open(session, { body: new Uint8Array(sent), more: true })
    for (let granted = kib(16); sent < total;) {
      await until('a grant', () => (granted = kib(16) + framesOf(session, 'mcpWindow').reduce((sum, one) => sum + one.addBytes, 0)) > sent)
      expect(granted - sent).toBeLessThanOrEqual(kib(256))
      for (; sent < granted && sent < total; sent += kib(8)) {
        const value = create(McpDataSchema, { streamId: 's', data: new Uint8Array(kib(8)), last: sent + kib(8) === total })
        session.send({ case: 'mcpData', value })
      }
    }
    await until('the answer', () => framesOf(session, 'mcpData').some(({ last }) => last))
    expect(size).toBe(total)
  })

  it('never answers with more than was granted, in pieces of at most 16 KiB', async () => {
    const text = 'x'.repeat(kib(1024))
    const { session } = await connected((_request, response) => void response.end(text))
    open(session, { windowBytes: kib(20) })
    await until('the first part', () => answered(session).length === kib(20))
    grant(session, kib(40))
    await until('the second part', () => answered(session).length === kib(60))
    // Whatever else is said on the stream comes after it and shows that no more was on its way.
    const beats = framesOf(session, 'heartbeat').length
    await until('a heartbeat', () => framesOf(session, 'heartbeat').length > beats)
    expect(answered(session)).toHaveLength(kib(60))
    grant(session, kib(2048))
    await until('the end', () => framesOf(session, 'mcpData').some(({ last }) => last))
    expect(answered(session).toString()).toBe(text)
    expect(Math.max(...framesOf(session, 'mcpData').map(({ data }) => data.length))).toBe(kib(16))
  })

  it('passes events on as they come', async () => {
    let finish = () => {}
    const { session } = await connected((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      finish = () => void response.end('data: 2\n\n')
    })
    open(session)
    await until('the first event', () => answered(session).toString() === 'data: 1\n\n')
    finish()
    await until('the end', () => framesOf(session, 'mcpData').some(({ last }) => last))
    expect(answered(session).toString()).toBe('data: 1\n\ndata: 2\n\n')
  })

  it.each([
    ['before its head when it is known', { 'content-length': String(kib(4096) + 1) }],
    ['when it turns out', {}],
  ])('says of an answer over 4 MiB that it is, %s', async (_when, headers) => {
    const { session } = await connected((_request, response) => {
      response.on('error', () => {})
      response.writeHead(200, headers).end('x'.repeat(kib(4096) + 1))
    })
    open(session, { windowBytes: kib(8192) })
    expect(await closed(session)).toMatchObject({ reason: 'too_large', message: expect.stringContaining('4194304') })
    if ('content-length' in headers) expect(framesOf(session, 'mcpHead')).toEqual([])
  })

  it('lets the very limit through', async () => {
    const { session } = await connected((_request, response) => void response.end('x'.repeat(kib(4096))))
    open(session, { windowBytes: kib(8192) })
    await until('the end', () => framesOf(session, 'mcpData').some(({ last }) => last))
    expect(answered(session)).toHaveLength(kib(4096))
  })

  it('ends at the endpoint as if its client had hung up, when it is closed from the other side', async () => {
    let state = 'waiting'
    const { session } = await connected((_request, response) => {
      state = 'open'
      response.once('close', () => (state = response.writableFinished ? 'answered' : 'hung up'))
    })
    open(session)
    await until('the call', () => state === 'open')
    cancel(session)
    await until('the end', () => state === 'hung up')
    expect(framesOf(session, 'mcpClose')).toEqual([])
  })

  it('of a legacy session is cancelled by the message that those know', async () => {
    const seen: { session: string | undefined; body: string }[] = []
    const { session } = await connected(async (request, response) => {
      const body = await bodyOf(request)
      seen.push({ session: request.headers['mcp-session-id'] as string | undefined, body })
      if (body.includes('cancelled')) response.writeHead(202).end()
    })
    open(session, { headers: { 'mcp-session-id': 'abc' } })
    await until('the call', () => seen.length === 1)
    cancel(session)
    await until('the cancellation', () => seen.length === 2)
    expect(seen[1]?.session).toBe('abc')
    expect(JSON.parse(seen[1]!.body)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7, reason: 'cancelled' },
    })
  })

  it('ends when the stream does', async () => {
    let state = 'waiting'
    const { session, agent } = await connected((_request, response) => {
      state = 'open'
      response.once('close', () => (state = 'closed'))
    })
    open(session)
    await until('the call', () => state === 'open')
    agent.plane.drop()
    await until('its end', () => state === 'closed')
  })

  it('is refused where the policy of the host says so, which is named', async () => {
    const { session } = await connected(() => {}, false)
    open(session)
    expect(await closed(session)).toMatchObject({
      reason: 'policy_denied',
      message: 'allowRemoteCalls is false in policy.yaml of this host.',
    })
  })

  it.each(['/metrics', '/mcp/../metrics', '/mcp/servers/a/b', 'http://elsewhere/mcp'])('reaches nothing but MCP: %s', async (path) => {
    const { session } = await connected((_request, response) => void response.end())
    open(session, { path })
    expect((await closed(session)).reason).toBe('refused')
  })

  it('with a header that HTTP cannot carry is refused', async () => {
    const { session } = await connected((_request, response) => void response.end())
    open(session, { headers: { 'mcp-name': 'a\nb' } })
    expect((await closed(session)).reason).toBe('refused')
  })

  it('whose answer breaks off is closed with the reason', async () => {
    const { session } = await connected((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => response.destroy())
    })
    open(session)
    expect((await closed(session)).reason).toBe('broken')
  })
})
