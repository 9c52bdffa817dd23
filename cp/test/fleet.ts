import type { Clock } from '@mcpg/core/clock'
import { readTimers } from '@mcpg/core/timers'
import { testApp, type TestApp } from '../src/testing.ts'
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
}: { clock?: Clock; timers?: string; limits?: { failedPerSecond: number; failedBurst: number; perSecond: number } } = {}) {
  const test: TestApp = await testApp({
    ...(clock && { clock }),
    change: (config) => ({
      ...config,
      timers: readTimers(`compileDebounce=5,compileMaxWait=50,statusFlush=5,${timers}`.replace(/,$/, '')),
      enrollmentLimits: limits ?? { failedPerSecond: 1, failedBurst: 20, perSecond: 10_000 },
    }),
  })
  const { fleet } = test.app
  const agents: FakeAgent[] = []
  for (const part of fleet.parts)
    await part.start((error) => {
      throw error
    })
  const transport = inProcessTransport(fleet.connect, fleet.identify)
  return { ...test, fleet, transport, createEnrollment, redeem, join, agentOf, apply, server, gateway, close }

  async function createEnrollment(
    body: Record<string, unknown> = {},
  ): Promise<{ name: string; token: string; url: string; command: string; expiresAt: string }> {
    const answer = await test.call('POST', `${environment}/enrollments`, body)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return { ...answer.body, token: answer.body.url.split('/enroll/')[1] }
  }

  async function redeem(token: string, identity: Identity, instanceUid: string) {
    return await test.call('POST', `/enroll/${token}`, enrollRequest(identity, instanceUid))
  }

  /** Enrolls an installation and connects its agent. */
  async function join(instanceUid: string, { knobs = {}, labels = {} }: { knobs?: Knobs; labels?: Record<string, string> } = {}) {
    const { token } = await createEnrollment({ labels })
    const { status, body } = await redeem(token, await newIdentity(), instanceUid)
    if (status !== 200) throw new Error(JSON.stringify(body))
    const agent = agentOf(body.credential.bearerToken, instanceUid, knobs)
    agent.connect()
    await agent.waitFor(() => agent.frames.find((frame) => frame.case === 'welcome'))
    return { agent, bearer: body.credential.bearerToken as string, gatewayId: body.gatewayId as string }
  }

  function agentOf(bearer: string, instanceUid: string, knobs: Knobs = {}): FakeAgent {
    const agent = fakeAgent({ transport, bearer, instanceUid, knobs })
    agents.push(agent)
    return agent
  }

  async function apply(...servers: { name: string; [field: string]: unknown }[]): Promise<void> {
    const objects = servers.map(({ name, ...spec }) => ({ kind: 'Server', metadata: { name }, spec }))
    const answer = await test.call('POST', `${workspace}/apply`, { objects })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  }

  async function server(name: string) {
    return (await test.call('GET', `${workspace}/servers/${name}`)).body
  }

  async function gateway(name: string) {
    return (await test.call('GET', `${environment}/gateways/${name}`)).body
  }

  async function close(): Promise<void> {
    for (const agent of agents) agent.disconnect()
    await test.close()
  }
}

/** Waits for a condition outside of an agent's stream, e.g. an answer of the REST API. */
export async function until<T>(look: () => Promise<T | undefined | null | false>, ms = 5_000): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
