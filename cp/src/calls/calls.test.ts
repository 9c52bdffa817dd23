import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create } from '@bufbuild/protobuf'
import { fakeClock } from '@mcpg/core/clock'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { McpCloseSchema, McpDataSchema, McpHeadSchema, McpWindowSchema, type McpOpen } from '@mcpg/proto/gen/delivery'
import { last, type FakeAgent } from '../../test/fake-agent.ts'
import { testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
})
afterEach(() => fleet.close())

const path = `${workspace}/mcp/servers/files`
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: { secret: 'hush' } } }
const kib = (count: number) => count * 1024

async function withFiles(name: string, knobs = {}): Promise<FakeAgent> {
  const { agent } = await fleet.join(name, { knobs })
  await fleet.apply({ name: 'files', command: ['files'] })
  await until(
    async () => (await fleet.server('files')).status.gateways.find((one: { gateway: string }) => one.gateway === name)?.ready === 1,
  )
  return agent
}

/** Makes a change, and waits until the gateway says this of the config that the change led to. */
async function configured(gateway: string, state: string, change: () => Promise<unknown>): Promise<void> {
  const config = async () => (await fleet.gateway(gateway)).status.config
  const before = (await config()).desired?.hash
  await change()
  await until(async () => {
    const now = await config()
    return now.desired.hash !== before && now.state === state
  })
}

const openOf = (agent: FakeAgent) => agent.waitFor(() => last(agent, 'mcpOpen'))

function answer(agent: FakeAgent, { streamId }: McpOpen, body: string | Uint8Array, headers: Record<string, string> = {}): void {
  agent.send({
    case: 'mcpHead',
    value: create(McpHeadSchema, { streamId, status: 200, headers: { 'content-type': 'application/json', ...headers } }),
  })
  const data = typeof body === 'string' ? Buffer.from(body) : body
  agent.send({ case: 'mcpData', value: create(McpDataSchema, { streamId, data, last: true }) })
}

function close(agent: FakeAgent, { streamId }: McpOpen, reason: string, message = ''): void {
  agent.send({ case: 'mcpClose', value: create(McpCloseSchema, { streamId, reason, message }) })
}

/** Over a real socket, so that it can hang up and read slowly. */
async function listening(more: Record<string, string> = {}) {
  const { http } = fleet.app()
  await http.start(() => {})
  return async (body: string, onResponse: (response: IncomingMessage) => void = () => {}) => {
    const sent = httpRequest(new URL(path, http.url()), { method: 'POST', headers: { 'content-type': 'application/json', ...more } })
    sent.on('error', () => {}).on('response', onResponse)
    sent.end(body)
    return sent
  }
}

describe('a call through the control plane', () => {
  it('reaches the gateway as it came, with who makes it, and brings its answer back with the gateway’s name', async () => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', path, call, {
      accept: 'application/json',
      'mcp-method': 'tools/call',
      authorization: 'Bearer x',
      cookie: 'a=b',
    })
    const open = await openOf(agent)
    expect(open).toMatchObject({ path: '/mcp/servers/files', more: false, caller: { subject: 'local', requestId: expect.any(String) } })
    expect(open.headers).toEqual({ accept: 'application/json', 'mcp-method': 'tools/call' })
    expect(JSON.parse(Buffer.from(open.body).toString())).toEqual(call)
    answer(agent, open, '{"jsonrpc":"2.0","id":1,"result":{}}')
    const { status, headers, body } = await answered
    expect({ status, body }).toEqual({ status: 200, body: { jsonrpc: '2.0', id: 1, result: {} } })
    expect(headers).toMatchObject({ 'mcpg-gateway': 'edge-1', 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
  })

  it('is in the audit trail by its names, and its arguments are not', async () => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', path, call)
    answer(agent, await openOf(agent), '{}')
    await answered
    const row = await until(async () => fleet.db().read.audit.findFirst({ where: { action: 'mcp.call' } }))
    expect(row).toMatchObject({ kind: 'Server', name: 'files', actor: 'local' })
    expect(JSON.parse(row.detail!)).toMatchObject({
      gateway: 'edge-1',
      method: 'tools/call',
      target: 'read',
      outcome: 'answered',
      status: 200,
    })
    expect(JSON.stringify(await fleet.db().read.audit.findMany())).not.toContain('hush')
  })

  it('sends a long message in pieces, as the gateway grants them', async () => {
    const agent = await withFiles('edge-1')
    const text = JSON.stringify({ ...call, params: { ...call.params, arguments: { text: 'x'.repeat(kib(100)) } } })
    const answered = fleet.call('POST', path, JSON.parse(text))
    const open = await openOf(agent)
    expect([open.body.length, open.more]).toEqual([kib(16), true])
    const pieces = () => agent.frames.flatMap((frame) => (frame.case === 'mcpData' ? [frame.value] : []))
    agent.send({ case: 'mcpWindow', value: create(McpWindowSchema, { streamId: open.streamId, addBytes: kib(20) }) })
    await agent.waitFor(() => pieces().length === 2)
    expect(pieces().map(({ data, last: isLast }) => [data.length, isLast])).toEqual([
      [kib(16), false],
      [kib(4), false],
    ])
    agent.send({ case: 'mcpWindow', value: create(McpWindowSchema, { streamId: open.streamId, addBytes: kib(200) }) })
    await agent.waitFor(() => pieces().at(-1)?.last)
    expect(Buffer.concat([open.body, ...pieces().map(({ data }) => data)]).toString()).toBe(text)
    answer(agent, open, '{}')
    expect((await answered).status).toBe(200)
  })

  it('grants no more while the client does not read, and lets a gateway that sends more go', async () => {
    const agent = await withFiles('edge-1')
    const send = await listening()
    await send(JSON.stringify(call), (response) => void response.pause())
    const { streamId, windowBytes } = await openOf(agent)
    expect(windowBytes).toBe(kib(256))
    agent.send({ case: 'mcpHead', value: create(McpHeadSchema, { streamId, status: 200, headers: {} }) })
    // As much as may be outstanding, and then without waiting for a grant; the kernel takes some of it, but never this much.
    for (let sent = 0; sent < kib(4096); sent += kib(16))
      agent.send({ case: 'mcpData', value: create(McpDataSchema, { streamId, data: new Uint8Array(kib(16)) }) })
    expect((await agent.waitFor(() => last(agent, 'mcpClose'))).reason).toBe('broken')
    const row = await until(async () => fleet.db().read.audit.findFirst({ where: { action: 'mcp.call' } }))
    expect(row.detail).toContain('"outcome":"broken"')
  })

  it('is cancelled at the gateway when the client hangs up', async () => {
    const agent = await withFiles('edge-1')
    const send = await listening()
    const sent = await send(JSON.stringify(call))
    const open = await openOf(agent)
    sent.destroy()
    expect(await agent.waitFor(() => last(agent, 'mcpClose'))).toMatchObject({ streamId: open.streamId, reason: 'cancelled' })
    const row = await until(async () => fleet.db().read.audit.findFirst({ where: { action: 'mcp.call' } }))
    expect(row.detail).toContain('"outcome":"cancelled"')
  })

  it('keeps a session at its gateway by the name in its id', async () => {
    const one = await withFiles('edge-1')
    const two = await withFiles('edge-2')
    const opened = fleet.call('POST', `${path}?gateway=edge-2`, { jsonrpc: '2.0', id: 1, method: 'initialize' })
    answer(two, await openOf(two), '{}', { 'mcp-session-id': 'abc' })
    const session = String((await opened).headers['mcp-session-id'])
    expect(session).toMatch(/^[\w-]+\.abc$/)
    const again = fleet.call('POST', path, call, { 'mcp-session-id': session })
    const next = await two.waitFor(() => two.frames.filter((frame) => frame.case === 'mcpOpen').length === 2 && last(two, 'mcpOpen'))
    expect(next.headers['mcp-session-id']).toBe('abc')
    answer(two, next, '{}')
    expect((await again).status).toBe(200)
    expect(last(one, 'mcpOpen')).toBeUndefined()
  })

  it('goes back to the gateway that parked it, by what its client carries', async () => {
    const one = await withFiles('edge-1')
    const two = await withFiles('edge-2')
    const parked = fleet.call('POST', `${path}?gateway=edge-2`, call)
    answer(two, await openOf(two), '{}', { 'mcpg-state-key': 'abcd1234' })
    expect((await parked).headers['mcpg-state-key']).toBeUndefined()
    const retry = { ...call, params: { ...call.params, requestState: 'mcpg1.abcd1234.sealed' } }
    const answered = fleet.call('POST', path, retry)
    answer(two, await two.waitFor(() => two.frames.filter((frame) => frame.case === 'mcpOpen').length === 2 && last(two, 'mcpOpen')), '{}')
    expect((await answered).headers['mcpg-gateway']).toBe('edge-2')
    expect(last(one, 'mcpOpen')).toBeUndefined()
  })

  it('goes to a gateway that has applied the config with the server and reported nothing of it yet', async () => {
    const { agent } = await fleet.join('edge-1', { knobs: { untold: true } })
    await until(async () => (await fleet.gateway('edge-1')).status.config.state === 'applied')
    await configured('edge-1', 'applied', () => fleet.apply({ name: 'files', command: ['files'] }))
    expect((await fleet.server('files')).status.ready).toBe(0)
    const answered = fleet.call('POST', path, call)
    answer(agent, await openOf(agent), '{}')
    expect((await answered).headers['mcpg-gateway']).toBe('edge-1')
    await fleet.restart()
    agent.connect()
    await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'welcome').length === 2)
    const again = fleet.call('POST', path, call)
    answer(
      agent,
      await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'mcpOpen').length === 2 && last(agent, 'mcpOpen')),
      '{}',
    )
    expect((await again).status).toBe(200)
  })

  it('goes where a config in its probation has brought the server, and no more where one has taken it away', async () => {
    const agent = await withFiles('edge-1')
    agent.knobs.endlessProbation = true
    await configured('edge-1', 'probation', () => fleet.apply({ name: 'other', command: ['x'] }))
    const answered = fleet.call('POST', `${workspace}/mcp/servers/other`, call)
    answer(agent, await openOf(agent), '{}')
    expect((await answered).status).toBe(200)
    agent.knobs.endlessProbation = false
    agent.knobs.untold = true
    const elsewhere = { name: 'files', command: ['files'], placement: { gatewaySelector: { none: 'such' } } }
    await configured('edge-1', 'applied', () => fleet.apply(elsewhere))
    expect((await fleet.call('POST', path, call)).body).toMatchObject({ status: 503, reason: 'no_gateway_online' })
  })

  it('goes to a gateway that shows the project before one that only has a server of it', async () => {
    const old = await withFiles('edge-1')
    old.knobs.silent = true
    const agent = await withFiles('edge-2')
    const web = { kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['files'] } }
    await configured('edge-2', 'applied', () => fleet.call('POST', `${workspace}/projects`, web))
    const answered = fleet.call('POST', `${workspace}/mcp/projects/web`, call)
    answer(agent, await openOf(agent), '{}')
    expect((await answered).headers['mcpg-gateway']).toBe('edge-2')
    expect(last(old, 'mcpOpen')).toBeUndefined()
  })

  it('goes to the gateway with the fewest under way when none is named', async () => {
    const one = await withFiles('edge-1')
    const two = await withFiles('edge-2')
    const first = fleet.call('POST', path, call)
    const openAtOne = await openOf(one)
    const second = fleet.call('POST', path, call)
    answer(two, await openOf(two), '{}')
    expect((await second).headers['mcpg-gateway']).toBe('edge-2')
    answer(one, openAtOne, '{}')
    expect((await first).headers['mcpg-gateway']).toBe('edge-1')
  })
})

describe('a call of somebody who may run one server only', () => {
  const everything = `${workspace}/mcp`
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  let headers: Record<string, string>
  beforeEach(async () => {
    await fleet.close()
    fleet = await testFleet({ authMode: 'local' })
    const bind = [{ role: 'run', resource: 'servers', name: 'files' }]
    const { body } = await fleet.call('POST', '/v1/orgs/default/tokens', { name: 'narrow', workspace: 'default', bind })
    headers = { authorization: `Bearer ${body.token}` }
  })

  it('carries what they may use to the gateway, which shows nothing else', async () => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', everything, list, headers)
    const open = await openOf(agent)
    expect(open).toMatchObject({
      path: '/mcp',
      caller: { subject: 'ada@example.com', restricted: true, tokenId: expect.stringMatching(/^tok_/) },
    })
    expect(open.caller!.grants.map((one) => JSON.parse(one))).toEqual([{ on: 'servers', names: ['files'] }])
    answer(agent, open, '{}')
    expect((await answered).status).toBe(200)
    const whole = fleet.call('POST', path, list, headers)
    const next = await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'mcpOpen').length === 2 && last(agent, 'mcpOpen'))
    expect(next.caller).toMatchObject({ restricted: false, grants: [] })
    answer(agent, next, '{}')
    expect((await whole).status).toBe(200)
  })

  it('names both where somebody acts for them', async () => {
    const eve = 'eve@example.com'
    const org = '/v1/orgs/default'
    await fleet.call('POST', `${org}/users`, { kind: 'User', metadata: { name: eve }, spec: {} })
    await fleet.call('POST', `${org}/users/${eve}/password`, { password: 'another long password' })
    const spec = { role: 'runner', subjects: [{ kind: 'User', name: eve }], workspace: 'default' }
    await fleet.call('POST', `${org}/rolebindings`, { kind: 'RoleBinding', metadata: { name: 'eve' }, spec })
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', everything, list, { 'x-mcpg-as': eve })
    const open = await openOf(agent)
    expect(open.caller).toMatchObject({ subject: eve, impersonator: 'ada@example.com', tokenId: '' })
    answer(agent, open, '{}')
    expect((await answered).status).toBe(200)
  })

  it('never goes to an agent that would show everything', async () => {
    const agent = await withFiles('edge-1', { capabilities: [GatewayCapability.REMOTE_CALLS] })
    expect((await fleet.call('POST', everything, list, headers)).body).toMatchObject({ status: 503, reason: 'no_gateway_online' })
    expect((await fleet.call('POST', `${everything}?gateway=edge-1`, list, headers)).body).toMatchObject({ reason: 'gateway_too_old' })
    expect(last(agent, 'mcpOpen')).toBeUndefined()
  })

  it('is cut off when what let them in is void, with what a new one is answered, and the gateway is told', async () => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', path, call, headers)
    const { streamId } = await openOf(agent)
    expect((await fleet.call('POST', '/v1/orgs/default/tokens/narrow/revoke')).status).toBe(204)
    const { body } = await answered
    expect(body).toMatchObject({ status: 401, reason: 'token_revoked', detail: expect.stringContaining('cut off at edge-1') })
    expect((await fleet.call('POST', path, call, headers)).body).toMatchObject({ status: 401, reason: 'token_revoked' })
    expect(await agent.waitFor(() => last(agent, 'mcpClose'))).toMatchObject({ streamId, reason: 'access_ended' })
    const row = await until(async () => fleet.db().read.audit.findFirst({ where: { action: 'mcp.call' } }))
    expect(row.detail).toContain('"outcome":"access_ended"')
  })

  it('is cut off when their right ends, also where they go on being signed in', async () => {
    const org = '/v1/orgs/default'
    const eve = 'eve@example.com'
    const password = 'another long password'
    await fleet.call('POST', `${org}/users`, { kind: 'User', metadata: { name: eve }, spec: {} })
    await fleet.call('POST', `${org}/users/${eve}/password`, { password })
    const spec = { role: 'runner', subjects: [{ kind: 'User', name: eve }], workspace: 'default' }
    await fleet.call('POST', `${org}/rolebindings`, { kind: 'RoleBinding', metadata: { name: 'eve' }, spec })
    const signIn = await fleet.call('POST', '/v1/auth/login', { email: eve, password })
    const session = { cookie: String(signIn.headers['set-cookie']).split(';')[0]!, 'x-mcpg-request': '1' }
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', everything, call, session)
    await openOf(agent)
    expect((await fleet.call('DELETE', `${org}/rolebindings/eve`)).status).toBe(204)
    expect((await answered).body).toMatchObject({ status: 403, reason: 'not_allowed', hint: 'mcpg-ctl can-i --list' })
  })

  it('breaks off when they sign out in the middle of its answer', async () => {
    const signIn = await fleet.call('POST', '/v1/auth/login', { email: 'ada@example.com', password: 'correct horse battery' })
    const session = { cookie: String(signIn.headers['set-cookie']).split(';')[0]!, 'x-mcpg-request': '1' }
    const agent = await withFiles('edge-1')
    const send = await listening(session)
    let isWhole: boolean | undefined
    await send(JSON.stringify(call), (response) => {
      response.on('error', () => {}).resume()
      response.on('close', () => (isWhole = response.complete))
    })
    const { streamId } = await openOf(agent)
    agent.send({ case: 'mcpHead', value: create(McpHeadSchema, { streamId, status: 200, headers: {} }) })
    agent.send({ case: 'mcpData', value: create(McpDataSchema, { streamId, data: Buffer.from('{"half') }) })
    expect((await fleet.call('POST', '/v1/auth/logout', {}, session)).status).toBe(204)
    await until(async () => isWhole !== undefined)
    expect(isWhole).toBe(false)
  })

  it('is told nothing of what they may not run', async () => {
    await fleet.apply({ name: 'other', command: ['x'] })
    await fleet.call('POST', `${workspace}/projects`, { kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['other'] } })
    const answers = async (one: string) => {
      const { status, body } = await fleet.call('POST', `${everything}/${one}`, list, headers)
      return { status, reason: body.reason }
    }
    for (const one of ['servers/other', 'servers/none']) expect(await answers(one)).toEqual({ status: 403, reason: 'not_allowed' })
    for (const one of ['projects/web', 'projects/none']) expect(await answers(one)).toEqual({ status: 404, reason: 'project_unknown' })
  })
})

describe('a call that cannot be made', () => {
  it('names the gateways that would have to be there', async () => {
    const agent = await withFiles('edge-1')
    agent.goodbye()
    await until(async () => (await fleet.gateway('edge-1')).status.connection === 'stopped')
    expect((await fleet.call('POST', path, call)).body).toMatchObject({
      status: 503,
      reason: 'no_gateway_online',
      detail: 'No gateway that runs files is online: edge-1 is stopped.',
      hint: 'mcpg-ctl describe server files',
    })
    expect((await fleet.call('POST', `${path}?gateway=edge-1`, call)).body).toMatchObject({
      status: 503,
      reason: 'gateway_not_connected',
      hint: 'mcpg-ctl describe gateway/edge-1',
    })
    expect((await fleet.call('POST', `${workspace}/mcp/servers/none`, call)).status).toBe(404)
    expect((await fleet.call('POST', `${path}?gateway=none`, call)).body.reason).toBe('gateway_unknown')
    expect((await fleet.call('POST', '/v1/orgs/default/workspaces/none/mcp', call)).status).toBe(404)
  })

  it('says that the config with the server has not been applied yet', async () => {
    await fleet.join('edge-1', { knobs: { onlyStage: true } })
    await until(async () => (await fleet.gateway('edge-1')).status.config.state === 'staged')
    await configured('edge-1', 'staged', () => fleet.apply({ name: 'files', command: ['files'] }))
    const { headers, body } = await fleet.call('POST', path, call)
    expect(body).toMatchObject({ status: 503, reason: 'not_applied_yet', hint: 'mcpg-ctl describe server files' })
    expect(body.detail).toMatch(/^No gateway runs files yet: generation \d+ is staged at edge-1\.$/)
    expect(headers['retry-after']).toBe('1')
  })

  it.each([
    ['policy_denied', 403, 'policy_denied', 'allowRemoteCalls is false in /x/policy.yaml of this host.'],
    ['too_large', 502, 'answer_too_large', 'The answer has 5000000 bytes.'],
    ['busy', 503, 'gateway_busy', ''],
    ['refused', 400, 'call_refused', 'Nothing is served at /mcp/x.'],
    ['broken', 502, 'call_broken', 'The endpoint did not answer.'],
    ['of a newer agent', 502, 'call_broken', ''],
  ])('says why the gateway closed it: %s', async (reason, status, told, message) => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', path, call)
    close(agent, await openOf(agent), reason, message)
    const { body } = await answered
    expect(body).toMatchObject({ status, reason: told })
    expect(body.detail).toContain(message)
    expect(body.detail).toContain('edge-1'.slice(0, told === 'answer_too_large' ? 0 : undefined))
  })

  it('is honest about a gateway that was lost in the middle of it', async () => {
    const agent = await withFiles('edge-1')
    const answered = fleet.call('POST', path, call)
    await openOf(agent)
    agent.disconnect()
    expect((await answered).body).toMatchObject({ status: 502, reason: 'gateway_lost', detail: expect.stringContaining('is not known') })
  })

  it('breaks the connection when the gateway is lost after its head', async () => {
    const agent = await withFiles('edge-1')
    const send = await listening()
    let isWhole: boolean | undefined
    let read = ''
    await send(JSON.stringify(call), (response) => {
      response.on('error', () => {}).on('data', (chunk: Buffer) => (read += chunk.toString()))
      response.on('close', () => (isWhole = response.complete))
    })
    const { streamId } = await openOf(agent)
    agent.send({ case: 'mcpHead', value: create(McpHeadSchema, { streamId, status: 200, headers: {} }) })
    agent.send({ case: 'mcpData', value: create(McpDataSchema, { streamId, data: Buffer.from('{"half') }) })
    await until(async () => read === '{"half')
    agent.disconnect()
    await until(async () => isWhole !== undefined)
    expect(isWhole).toBe(false)
  })

  it('is not sent to an agent that does not know such calls', async () => {
    const agent = await withFiles('edge-1', { capabilities: [] })
    expect((await fleet.call('POST', `${path}?gateway=edge-1`, call)).body).toMatchObject({ status: 409, reason: 'gateway_too_old' })
    expect(last(agent, 'mcpOpen')).toBeUndefined()
  })

  it.each([
    ['{', 400, 'malformed_json'],
    ['7', 400, 'not_json_rpc'],
    ['', 400, 'body_missing'],
    [JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' }), 405, 'no_streams'],
    [' '.repeat(4 * 1024 * 1024 + 1), 413, 'body_too_large'],
  ])('because of its body is refused before it leaves', async (body, status, reason) => {
    const answered = await fleet
      .app()
      .http.inject({ method: 'POST', url: path, payload: body, headers: { 'content-type': 'application/json' } })
    expect(answered.json()).toMatchObject({ status, reason })
  })

  it('ends after a minute', async () => {
    await fleet.close()
    const clock = fakeClock(Date.now())
    fleet = await testFleet({ clock, timers: 'heartbeat=3600000,offlineAfter=86400000' })
    let agent: FakeAgent | undefined
    void withFiles('edge-1').then((one) => (agent = one))
    await until(async () => {
      await clock.advance(10)
      return agent !== undefined
    })
    const answered = fleet.call('POST', path, call)
    await openOf(agent!)
    await clock.advance(60_000)
    expect((await answered).body).toMatchObject({ status: 504, reason: 'call_timeout' })
    expect((await agent!.waitFor(() => last(agent!, 'mcpClose'))).reason).toBe('timeout')
  })
})
