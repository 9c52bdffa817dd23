import { Code, ConnectError } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import { fakeAgent, last } from '../../test/fake-agent.ts'
import { testFleet, until, type TestFleet } from '../../test/fleet.ts'
import { newIdentity } from '../../test/identity.ts'
import { grpcServer } from './server.ts'

const log = createLog({ level: 'silent', json: true })
const address = (url: string) => ({ baseUrl: url })
let fleet: TestFleet
beforeAll(async () => {
  fleet = await testFleet({ timers: 'offlineAfterReset=50' })
})
afterAll(() => fleet.close())

describe('the gRPC listener', () => {
  it('carries a whole life of a gateway over a real connection: hello, config, heartbeat, revocation', async () => {
    const { token } = await fleet.createEnrollment()
    const { body } = await fleet.redeem(token, await newIdentity(), 'wired')
    const transport = createGrpcTransport(address(fleet.app().fleet.grpcUrl()))
    const agent = fakeAgent({ transport, bearer: body.credential.bearerToken, instanceUid: 'wired' })
    agent.connect()
    await agent.waitFor(() => last(agent, 'welcome'))
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    agent.heartbeat()
    await agent.waitFor(() => last(agent, 'heartbeatAck'))
    await fleet.call('POST', '/v1/orgs/default/workspaces/default/environments/default/gateways/wired/revoke')
    expect((await agent.waitFor(() => last(agent, 'terminate'))).message).toBe('the credential was revoked')
    await agent.waitFor(() => agent.end())
  })

  it('notices at once that a connection broke without a word', async () => {
    const { token } = await fleet.createEnrollment()
    const { body } = await fleet.redeem(token, await newIdentity(), 'breaks')
    const agent = fakeAgent({
      transport: createGrpcTransport(address(fleet.app().fleet.grpcUrl())),
      bearer: body.credential.bearerToken,
      instanceUid: 'breaks',
    })
    agent.connect()
    await until(async () => (await fleet.gateway('breaks')).status.connection === 'online')
    agent.disconnect()
    await until(async () => (await fleet.gateway('breaks')).status.connection === 'offline')
  })

  it.each([
    ['no credential', '', 'credential_missing'],
    ['one that nobody has', 'abc', 'credential_unknown'],
  ])('refuses a stream with %s, with a reason to branch on', async (_what, bearer, reason) => {
    const transport = createGrpcTransport(address(fleet.app().fleet.grpcUrl()))
    const agent = fakeAgent({ transport, bearer, instanceUid: 'nobody' })
    agent.connect()
    const error = await agent.waitFor(() => agent.end())
    expect(error).toBeInstanceOf(ConnectError)
    expect([
      (error as ConnectError).code,
      (error as ConnectError).metadata.get('mcpg-reason'),
      (error as ConnectError).metadata.get('mcpg-code'),
    ]).toEqual([Code.Unauthenticated, reason, 'unauthenticated'])
  })

  it('says so when its port is taken', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as { port: number }
    const { part } = serverWith({ port })
    await expect(part.start(() => {})).rejects.toMatchObject({ reason: 'port_taken', hint: expect.stringContaining('--bind-grpc') })
    await part.stop()
    await new Promise((resolve) => holder.close(resolve))
  })

  it('spells an error that comes while a frame is handled, and hides the text of one that is not ours', async () => {
    for (const [thrown, code, message] of [
      [new McpgError('failed_precondition', 'nope', 'Not now.'), Code.FailedPrecondition, 'Not now.'],
      [new Error('SELECT secret'), Code.Internal, 'The control plane failed; its log says why.'],
    ] as const) {
      const server = serverWith({
        onFrame: () => {
          throw thrown
        },
      })
      await server.part.start(() => {})
      const agent = fakeAgent({ transport: createGrpcTransport(address(server.address())), bearer: 'x', instanceUid: 'a' })
      agent.connect()
      const error = (await agent.waitFor(() => agent.end())) as ConnectError
      expect([error.code, error.rawMessage]).toEqual([code, message])
      expect(server.closed()).toBe(1)
      agent.disconnect()
      await server.part.stop()
    }
  })

  it('accepts no more connections than it may have', async () => {
    const server = serverWith({ maxConnections: 1 })
    await server.part.start(() => {})
    const first = fakeAgent({ transport: createGrpcTransport(address(server.address())), bearer: 'x', instanceUid: 'a' })
    first.connect()
    await until(async () => server.frames() === 1)
    const second = fakeAgent({ transport: createGrpcTransport(address(server.address())), bearer: 'x', instanceUid: 'b' })
    second.connect()
    expect(await second.waitFor(() => second.end())).toBeInstanceOf(ConnectError)
    expect(first.end()).toBeUndefined()
    first.disconnect()
    await server.part.stop()
  })

  it('ends within its deadline although a gateway keeps its stream open', async () => {
    const server = serverWith({})
    await server.part.start(() => {})
    const agent = fakeAgent({ transport: createGrpcTransport(address(server.address())), bearer: 'x', instanceUid: 'a' })
    agent.connect()
    await until(async () => server.frames() === 1)
    await server.part.stop()
    expect(await agent.waitFor(() => agent.end())).toBeInstanceOf(ConnectError)
    expect(server.closed()).toBe(1)
  })
})

function serverWith({ port = 0, maxConnections, onFrame = () => {} }: { port?: number; maxConnections?: number; onFrame?: () => void }) {
  let frames = 0
  let closed = 0
  const server = grpcServer({
    settings: { host: '127.0.0.1', port, ...(maxConnections !== undefined && { maxConnections }) },
    log,
    tls: null,
    denied: () => {},
    authenticate: () => ({ gatewayId: 'gw', standing: 'active' }),
    handlers: {
      renewCredential: nobody,
      beginRecovery: nobody,
      completeRecovery: nobody,
      connect: () => ({
        frame: () => {
          frames++
          onFrame()
        },
        closed: () => closed++,
      }),
      fetchSecrets: () => Promise.reject(new Error('nobody asks')),
    },
    beforeClose: async () => {},
  })
  return { ...server, frames: () => frames, closed: () => closed }
}

async function nobody(): Promise<never> {
  throw new McpgError('unsupported', 'not_here', 'This server has no such call.')
}
