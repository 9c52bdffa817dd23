import { beforeAll, describe, expect, it } from 'vitest'
import { api, type Api } from '../harness/api.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { ctl, fastTimers, startControlPlane, startGateway, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { raceAgents, raceRedeemers } from '../scenarios/races.ts'

let controlPlane: ControlPlane
let rest: Api

beforeAll(async () => {
  controlPlane = await shareWithFile(async () => startControlPlane({ stateDir: temporaryFolder() }))
  rest = api(controlPlane.http)
})

const connection = async (name: string) => {
  const gateway = await rest.get('gateways', name)
  return (gateway.status as { connection: string }).connection
}

describe('an agent with a one-time URL', () => {
  it('joins, comes back without the URL and with the same URL, and is told about another one', async () => {
    const stateDir = temporaryFolder()
    // 1 the URL turns this installation into the gateway edge-1
    const { url } = await rest.enroll({ name: 'edge-1', labels: { role: 'edge' } })
    const first = await startGateway({ stateDir, url })
    await until('edge-1 is online', async () => (await connection('edge-1')) === 'online')
    expect((await rest.get('gateways', 'edge-1')).metadata.labels).toEqual({ role: 'edge' })

    // 2 a planned stop is known at once, and is not "offline"
    expect(await first.stop()).toBe(0)
    await until('edge-1 said goodbye', async () => (await connection('edge-1')) === 'stopped')

    // 3 no URL: the identity on disk; the same URL, as a service manager would give it: the same
    for (const again of [null, url]) {
      const running = await startGateway({ stateDir, url: again })
      await until('edge-1 is back', async () => (await connection('edge-1')) === 'online')
      await running.stop()
    }

    // 4 another URL is refused and names the gateway and the way out; nothing was consumed
    const other = await rest.enroll()
    const refused = await ctl(['gateway', '--enrollment-url', other.url], { stateDir })
    expect(refused.code).toBe(6)
    expect(refused.stderr).toMatch(/edge-1/)
    expect(refused.stderr).toMatch(/--re-enroll/)
    expect((await rest.get('enrollments', other.name)).status).toMatchObject({ state: 'open', usedCount: 0 })

    // 5 what the machine itself knows, with the agent down
    const facts = await ctl(['gateway-status'], { stateDir })
    expect(facts.code).toBe(0)
    expect(facts.stdout).toMatch(/edge-1/)
    expect(facts.stdout).toContain(new URL(controlPlane.grpc).port)
  })

  it('refuses the second use of a token with a reason, and keeps who used it', async () => {
    const { url, name } = await rest.enroll({ name: 'edge-2' })
    await startGateway({ stateDir: temporaryFolder(), url })
    const second = await ctl(['gateway', '--enrollment-url', url, '-o', 'json'], { stateDir: temporaryFolder() })
    expect(second.code).toBe(6)
    expect(JSON.parse(second.stderr)).toMatchObject({
      reason: 'token_already_used',
      hint: expect.stringContaining('enroll create') as string,
    })
    expect((await rest.get('enrollments', name)).status).toMatchObject({ state: 'used', redemptions: [{ source: '127.0.0.1' }] })
  })

  it.each([
    ['a URL that is none', 'not-a-url', 2],
    ['another scheme', 'ftp://127.0.0.1:7843/enroll/abc', 2],
    ['a path that is none', 'http://127.0.0.1:7843/join/abc', 2],
    ['an unknown token', null, 5],
  ])('answers %s with its exit code and a hint', async (_what, url, code) => {
    const done = await ctl(['gateway', '--enrollment-url', url ?? `${controlPlane.http}/enroll/abc123`], { stateDir: temporaryFolder() })
    expect({ code: done.code, stderr: done.stderr }).toMatchObject({ code, stderr: expect.stringMatching(/hint: /) as string })
    expect(done.stderr).not.toMatch(/ {4}at /)
  })

  it('answers an expired and a revoked token with their own reasons', async () => {
    const expired = await rest.enroll({ ttl: '1s' })
    const revoked = await rest.enroll()
    await ctl(['enroll', 'revoke', revoked.name, '--cp-url', controlPlane.http, '--yes'], { stateDir: temporaryFolder() })
    await until('the token has expired', async () => (await rest.get('enrollments', expired.name)).status['state'] === 'expired')
    for (const [url, reason] of [
      [expired.url, /expired/],
      [revoked.url, /revoked/],
    ] as const) {
      const done = await ctl(['gateway', '--enrollment-url', url], { stateDir: temporaryFolder() })
      expect(done.code).toBe(6)
      expect(done.stderr).toMatch(reason)
    }
  })

  it('accepts a trailing slash', async () => {
    const { url } = await rest.enroll({ name: 'slash' })
    await startGateway({ stateDir: temporaryFolder(), url: `${url}/` })
    await until('it is online', async () => (await connection('slash')) === 'online')
  })
})

describe('an enrollment URL that many have', () => {
  it('is won by one of eight agents; the others end with exit code 6 and say why', async () => {
    const { online, exitCodes, outputs } = await raceAgents({ agents: 8, env: { MCPG_TIMERS: fastTimers } })
    expect(online).toBe(1)
    expect(exitCodes).toEqual(Array.from({ length: 7 }, () => 6))
    expect(outputs.filter((text) => text.includes('enrollment token was already used'))).toHaveLength(7)
  })

  it('is redeemed by exactly one of twenty at the same moment, every time', async () => {
    const { wrong, gateways } = await raceRedeemers({ redeemers: 20, rounds: 20 })
    expect(wrong).toEqual([])
    expect(gateways).toBe(20)
  })
})
