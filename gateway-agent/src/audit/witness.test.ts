import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import { startEndpoint, until } from '../endpoint/test-endpoint.ts'
import { fixture } from '../endpoint/test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const node = process.execPath
beforeAll(async () => {
  gateway = await startEndpoint()
  await gateway.fleet.add('echo', [node, fixture('servers/echo.ts')])
  await gateway.fleet.add('quiet', [node, fixture('servers/echo.ts')], { auditLevel: 'disabled' })
  await gateway.fleet.add('private', [node, fixture('servers/echo.ts')], { auditLevel: 'hash-only' })
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.seen.splice(0))
const meta = { 'io.modelcontextprotocol/clientInfo': { name: 'inspector', version: '1' } }

describe('what the gateway saw', () => {
  it('names who called what, how it ended and how big it was', async () => {
    await gateway.modern('/mcp').call('tools/call', { name: 'echo__echo', arguments: { text: 'hi' } }, meta)
    expect(gateway.seen).toMatchObject([
      {
        kind: AuditKind.TOOL_CALL,
        level: 'full',
        server: 'echo',
        target: 'echo',
        instance: expect.stringMatching(/./),
        client: 'inspector',
        subject: '',
        sessionId: '',
        outcome: AuditOutcome.OK,
        reason: '',
        requestBytes: expect.any(Number),
        resultBytes: expect.any(Number),
      },
    ])
    expect(gateway.seen[0]!.resultBytes).toBeGreaterThan(10)
  })

  it('is a session from its beginning to its end, with the calls in it', async () => {
    const client = await gateway.legacy('/mcp/servers/echo')
    await client.textOf('echo', { text: 'hi' })
    await client.end()
    expect(gateway.seen.map(({ kind, client: name }) => [kind, name])).toEqual([
      [AuditKind.SESSION_OPEN, 'test'],
      [AuditKind.TOOL_CALL, 'test'],
      [AuditKind.SESSION_CLOSE, 'test'],
    ])
    expect(new Set(gateway.seen.map(({ sessionId }) => sessionId))).toEqual(new Set([client.session]))
  })

  it.each([
    ['a tool that nobody has', '/mcp', { name: 'echo__nothing' }, AuditOutcome.OK],
    ['a server that nobody has', '/mcp', { name: 'nobody__nothing' }, AuditOutcome.DENIED],
  ])('tells of %s', async (_, path, params, outcome) => {
    await gateway.modern(path).call('tools/call', params, meta)
    await until(() => gateway.seen.length === 1)
    if (outcome === AuditOutcome.DENIED)
      expect(gateway.seen).toMatchObject([{ kind: AuditKind.DENIED, outcome, reason: 'NotServedHere', target: params.name }])
    else expect(gateway.seen[0]!.outcome).not.toBe(AuditOutcome.OK)
  })

  it('is a cancelled call where the client hung up', async () => {
    const hangUp = new AbortController()
    const call = gateway
      .modern('/mcp/servers/echo')
      .send('tools/call', { name: 'sleep', arguments: { ms: 20_000 } }, { signal: hangUp.signal })
    const ended = call.catch(() => 'hung up')
    await until(() => gateway.fleet.acquired('echo') > 0)
    hangUp.abort()
    expect(await ended).toBe('hung up')
    await until(() => gateway.seen.length === 1)
    expect(gateway.seen).toMatchObject([{ outcome: AuditOutcome.CANCELLED, target: 'sleep' }])
  })

  it('is whose token it was, and that one did not hold, a few times a minute and then as a number', async () => {
    const holds = { principal: 'token tok_1', subject: 'ada@example.com', tokenId: 'tok_1' }
    const refused = { status: 401 as const, reason: 'token_refused', detail: 'No.', challenge: '', isRefusal: true }
    const access = {
      admit: ({ headers }: { headers: { authorization?: string } }) => (headers.authorization === 'Bearer good' ? holds : refused),
      environment: 'default',
      onChange: () => {},
      stillHolds: () => true,
    }
    const guarded = await startEndpoint({ access: access as never })
    await guarded.fleet.add('echo', [node, fixture('servers/echo.ts')])
    for (let guess = 0; guess < 40; guess++)
      expect((await guarded.modern().send('tools/list', {}, { headers: { authorization: `Bearer guess-${guess}` } })).status).toBe(401)
    expect(guarded.seen).toHaveLength(10)
    expect(guarded.seen[0]).toMatchObject({
      kind: AuditKind.DENIED,
      outcome: AuditOutcome.DENIED,
      reason: 'TokenRefused',
      target: '/mcp',
      more: { source: '127.0.0.1' },
    })
    await guarded
      .modern('/mcp/servers/echo')
      .send('tools/call', { name: 'echo', arguments: { text: 'hi' } }, { headers: { authorization: 'Bearer good' } })
    expect(guarded.seen.at(-1)).toMatchObject({ subject: 'ada@example.com', tokenId: 'tok_1', target: 'echo' })
    await guarded.stop()
    expect(guarded.seen.at(-1)).toMatchObject({ kind: AuditKind.DENIED, target: 'and 30 more' })
    expect(JSON.stringify(guarded.seen)).not.toContain('guess')
  })

  it('is as much as the level of the server lets it be', async () => {
    await gateway.modern('/mcp/servers/quiet').call('tools/call', { name: 'echo', arguments: { text: 'hi' } })
    await gateway.modern('/mcp/servers/private').call('tools/call', { name: 'echo', arguments: { text: 'hi' } })
    expect(gateway.seen.map(({ server, level }) => [server, level])).toEqual([['private', 'hash-only']])
  })
})
