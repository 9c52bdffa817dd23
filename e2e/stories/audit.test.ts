import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '@mcpg/proto/rest/audit'
import { ctl, fastTimers } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { acceptedPerSecond, auditedFleet, callCost, expectedOf, harms, told, toolCalls, verified } from '../scenarios/audit.ts'
import { fixture, type ServerInput } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }
const server = ({ name, spec }: ServerInput) => ({ kind: 'Server', metadata: { name }, spec })

describe('what gateways saw', () => {
  it('waits on their disk while the control plane is away, and is told once', async () => {
    const fleet = await auditedFleet({ calls: 3, env })
    await fleet.controlPlane.kill()
    await fleet.call(4)
    const controlPlane = await fleet.controlPlane.restart()
    await told(fleet.rest, 7)
    await fleet.call(1)
    await told(fleet.rest, 8)
    const calls = await toolCalls(fleet.rest)
    expect(calls).toHaveLength(8)
    expect(calls[0]).toMatchObject({ gateway: 'here', actor: 'anonymous', verified: false, kind: 'Server', name: 'echo' })
    expect(JSON.stringify(calls)).not.toContain('planted')
    expect(await verified({ controlPlane })).toMatchObject({
      code: 0,
      answer: { ok: true, gateways: [{ ok: true, dropped: 0, breaks: 0 }] },
    })
    const { stdout } = await ctl(['audit', 'sessions', '-o', 'json'], {
      stateDir: controlPlane.stateDir,
      env: { MCPG_CP_URL: controlPlane.http },
    })
    expect(JSON.parse(stdout).items).toContainEqual(expect.objectContaining({ gateway: 'here', calls: 8, failed: 0, denied: 0 }))
  })
})

describe('what gateways do by themselves', () => {
  it('is in their chain: secrets that a server was started with, by version, and what became of configs', async () => {
    const fleet = await auditedFleet({ calls: 1, env })
    const own = async (action: string) =>
      (await fleet.rest.call<{ items: AuditEntry[] }>('GET', `/v1/orgs/default/audit?action=${action}`)).items
    await fleet.rest.apply(
      { kind: 'Secret', metadata: { name: 'db' }, spec: { data: { token: 'planted-secret' } } },
      server(fixture('safe', 'echo', [], { env: [{ name: 'TOKEN', valueFrom: { secretRef: { name: 'db', key: 'token' } } }] })),
      server(fixture('broken', 'exits-at-once', [], { startTimeout: '2s' })),
    )
    const used = await until('the secret was used', async () => (await own('secret.use'))[0])
    expect(used).toMatchObject({
      kind: 'Server',
      name: 'safe',
      actorKind: 'gateway',
      gateway: 'here',
      detail: { outcome: 'ok', secrets: [{ name: 'db', key: 'token', version: 1 }] },
    })
    const back = await until('a config was rolled back', async () => (await own('config.roll-back'))[0], 60_000)
    expect(back).toMatchObject({ kind: 'Gateway', name: 'here', detail: { reason: 'Unhealthy', generation: expect.any(Number) } })
    expect((await own('config.apply')).length).toBeGreaterThan(0)
    expect((await toolCalls(fleet.rest))[0]?.detail?.['instance']).toMatch(/^echo-/)
    expect(JSON.stringify(await own('secret.*'))).not.toContain('planted')
    expect(await verified(fleet)).toMatchObject({ code: 0 })
  })
})

describe('audit verify', () => {
  it('finds every row that was altered or removed', async () => {
    const fleet = await auditedFleet({ calls: 4, env })
    expect((await verified(fleet)).code).toBe(0)
    for (const harm of harms) {
      await harm.does(fleet.controlPlane.stateDir)
      const { code, answer } = await verified(fleet)
      expect([harm.name, code, harm.shows(answer)]).toEqual([harm.name, 1, expectedOf(harm)])
    }
  })
})

describe('the price of the trail', () => {
  it('is measured: events come in batches, and calls with and without it are compared', async () => {
    expect(await acceptedPerSecond({ gateways: 2, eventsEach: 1_000, env })).toMatchObject({ events: 2_000, stored: 2_000, ok: true })
    const costs = await callCost({
      rounds: 1,
      clients: 2,
      paces: [
        { callsPerSecond: 200, slices: 1, sliceMs: 200 },
        { slices: 1, sliceMs: 200 },
      ],
      env,
    })
    expect(costs.map(({ ratio }) => ratio.median > 0)).toEqual([true, true])
  })
})
