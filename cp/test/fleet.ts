import type { Clock } from '@mcpg/core/clock'
import { readTimers } from '@mcpg/core/timers'
import { createApp, type App, type Overrides } from '../src/app.ts'
import { readConfig, type Config } from '../src/config.ts'
import { temporaryFolder } from '../src/db/testing.ts'
import type { Answer } from './app.ts'
import { onEngineOfRun } from './database.ts'
import { fakeAgent, type FakeAgent, type Knobs } from './fake-agent.ts'
import { enrollRequest, newIdentity, type Identity } from './identity.ts'
import { inProcessTransport } from './in-process.ts'

export const workspace = '/v1/orgs/default/workspaces/default'
export const environment = `${workspace}/environments/default`

export type TestFleet = Awaited<ReturnType<typeof testFleet>>

/** A control plane with everything but its REST listener started, and agents that join it. */
export async function testFleet({
  clock,
  timers = '',
  limits,
  tls = false,
  authMode = 'none',
  change = (config) => config,
  signedIn = async () => ({}),
  managed,
}: {
  clock?: Clock
  timers?: string
  limits?: { failedPerSecond: number; failedBurst: number; perSecond: number }
  /** The listeners speak TLS although they are on loopback. */
  tls?: boolean
  /** `local`: `call` is by the first user, who may do everything, where its headers say nothing else. */
  authMode?: 'none' | 'local'
  change?: (config: Config) => Config
  /** Headers of whoever makes a request that brings none. */
  signedIn?: () => Promise<Record<string, string>>
  /** Managed gateways run by these drivers, and operations are worked on. */
  managed?: Pick<Overrides, 'drivers' | 'atStep'>
} = {}) {
  const folder = temporaryFolder()
  const read = readConfig({ 'state-dir': folder.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0', 'log-level': 'silent' }, {})
  const { config, remove } = await onEngineOfRun({
    ...change({ ...read, authMode }),
    http: { ...read.http, tls },
    grpc: { ...read.grpc, tls },
    timers: readTimers(`compileDebounce=5,compileMaxWait=50,statusFlush=5,${timers}`.replace(/,$/, '')),
    enrollmentLimits: limits ?? { failedPerSecond: 1, failedBurst: 20, perSecond: 10_000 },
  })
  const agents: FakeAgent[] = []
  let app = await start()
  const ada = authMode === 'local' ? await bootstrap() : {}
  const transport = inProcessTransport(
    (stream) => app.fleet.connect(stream),
    (bearer) => app.fleet.identify({ bearer, certificate: null }),
  )
  return { app: () => app, db: () => app.db, call, restart, createEnrollment, redeem, join, agentOf, apply, server, gateway, close }

  async function start(): Promise<App> {
    const next = await createApp(config, { logTo: { write() {} }, ...(clock && { clock }), ...managed })
    for (const part of [...next.fleet.parts, ...(managed ? next.managed.parts : [])])
      await part.start((error) => {
        throw error
      })
    return next
  }

  async function bootstrap(): Promise<Record<string, string>> {
    const payload = { email: 'ada@example.com', password: 'correct horse battery', setupCode: await app.firstUserCode() }
    const made = await app.http.inject({ method: 'POST', url: '/v1/auth/bootstrap', payload })
    return { cookie: String(made.headers['set-cookie']).split(';')[0]!, 'x-mcpg-request': '1' }
  }

  /** A request through the whole REST stack. */
  async function call(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers = {},
  ): Promise<Answer> {
    const { http } = app
    const answer = await http.inject({
      method,
      url: path,
      ...(body !== undefined && { payload: JSON.stringify(body) }),
      headers: {
        ...(http.app.server.listening && { host: new URL(http.url()).host }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...('authorization' in headers ? {} : { ...ada, ...(await signedIn()) }),
        ...headers,
      },
    })
    const isJson = /json/.test(String(answer.headers['content-type']))
    return { status: answer.statusCode, headers: answer.headers, body: isJson && answer.body !== '' ? answer.json() : answer.body }
  }

  /** The process ends and another one comes up over the same state dir; agents notice nothing but their streams. */
  async function restart(between: () => Promise<void> = async () => {}): Promise<void> {
    for (const part of app.parts.toReversed()) await part.stop()
    await between()
    app = await start()
  }

  async function createEnrollment(
    body: Record<string, unknown> = {},
  ): Promise<{ name: string; token: string; url: string; command: string; expiresAt: string }> {
    const answer = await call('POST', `${environment}/enrollments`, body)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return { ...answer.body, token: answer.body.url.split('/enroll/')[1] }
  }

  async function redeem(token: string, identity: Identity, instanceUid: string) {
    return await call('POST', `/enroll/${token}`, enrollRequest(identity, instanceUid))
  }

  /** Enrolls an installation and connects its agent. */
  async function join(instanceUid: string, { knobs = {}, labels = {} }: { knobs?: Knobs; labels?: Record<string, string> } = {}) {
    const { token } = await createEnrollment({ labels })
    const identity = await newIdentity()
    const { status, body } = await redeem(token, identity, instanceUid)
    if (status !== 200) throw new Error(JSON.stringify(body))
    const agent = agentOf(body.credential.bearerToken, instanceUid, knobs)
    agent.connect()
    await agent.waitFor(() => agent.frames.find((frame) => frame.case === 'welcome'))
    return { agent, identity, bearer: body.credential.bearerToken as string, gatewayId: body.gatewayId as string }
  }

  function agentOf(bearer: string, instanceUid: string, knobs: Knobs = {}): FakeAgent {
    const agent = fakeAgent({ transport, bearer, instanceUid, knobs })
    agents.push(agent)
    return agent
  }

  async function apply(...servers: { name: string; [field: string]: unknown }[]): Promise<void> {
    const objects = servers.map(({ name, ...spec }) => ({ kind: 'Server', metadata: { name }, spec }))
    const answer = await call('POST', `${workspace}/apply`, { objects })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  }

  async function server(name: string) {
    return (await call('GET', `${workspace}/servers/${name}`)).body
  }

  async function gateway(name: string) {
    return (await call('GET', `${environment}/gateways/${name}`)).body
  }

  async function close(): Promise<void> {
    for (const agent of agents) agent.disconnect()
    for (const part of app.parts.toReversed()) await part.stop()
    await remove()
    folder.remove()
  }
}

/** Waits for a condition outside of an agent's stream, e.g. an answer of the REST API. */
export async function until<T>(look: () => Promise<T | undefined | null | false>, ms = 20_000): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
