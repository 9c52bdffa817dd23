import { describe, expect, it } from 'vitest'
import { ctl, fastTimers } from '../harness/programs.ts'
import { acceptedPerSecond, auditedFleet, callCost, expectedOf, harms, told, toolCalls, verified } from '../scenarios/audit.ts'

const env = { MCPG_TIMERS: fastTimers }

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
    const { ratio } = await callCost({ rounds: 1, clients: 2, durationMs: 200, env })
    expect(ratio.median).toBeGreaterThan(0)
  })
})
