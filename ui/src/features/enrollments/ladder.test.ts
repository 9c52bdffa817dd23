import type { Resource } from '@mcpg/proto/kinds/kind'
import { describe, expect, it } from 'vitest'
import { enrollmentView } from '../../lib/objects/enrollment.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { ladderOf } from './ladder.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const metadata = { name: 'enr-1', uid: 'enr_1', createdAt: '2026-01-01T11:59:00Z' } as Resource['metadata']
const enrollment = (status: object, expiresAt = '2026-01-01T12:14:00Z') =>
  enrollmentView({ kind: 'Enrollment', metadata, spec: { maxUses: 1, expiresAt }, status: { state: 'open', ...status } })
const gateway = (status: object, uid = 'gw_1') =>
  gatewayView({ kind: 'Gateway', metadata: { name: 'edge', uid } as Resource['metadata'], spec: {}, status: { ...status } })

const redemption = { gateway: 'gw_1', source: '10.0.3.7', at: '2026-01-01T11:59:30Z' }
const used = { state: 'used', usedCount: 1, redemptions: [redemption] }
const confirmed = { ...used, redemptions: [{ ...redemption, confirmedAt: '2026-01-01T11:59:31Z' }] }
const states = (...of: Parameters<typeof ladderOf>) => ladderOf(...of).rungs.map((rung) => rung.state)

describe('ladder of an enrollment', () => {
  it('waits for the agent first', () => expect(states(enrollment({}), [], now)).toEqual(['done', 'waiting', 'ahead', 'ahead', 'ahead']))

  it('says where the token was redeemed from', () => {
    const { rungs } = ladderOf(enrollment(used), [gateway({ platform: 'linux/arm64', version: '1.2.0' })], now)
    expect(rungs[1]).toMatchObject({ state: 'done', detail: 'from 10.0.3.7, linux/arm64, v1.2.0' })
    expect(rungs[2]?.state).toBe('waiting')
  })

  it('climbs while the config is on its way', () => {
    const on = (state: string) => [gateway({ connection: 'online', config: { state } })]
    expect(states(enrollment(confirmed), on('none'), now)).toEqual(['done', 'done', 'done', 'waiting', 'ahead'])
    expect(ladderOf(enrollment(confirmed), on('staged'), now).rungs[3]?.detail).toBe('It is staged.')
  })

  it('is done when the gateway is online with a config', () => {
    const ready = gateway({ connection: 'online', config: { state: 'applied', applied: { generation: 1, hash: 'a1b2c3d4e5' } } })
    const ladder = ladderOf(enrollment(confirmed), [gateway({}, 'gw_2'), ready], now)
    expect(ladder).toMatchObject({ isDone: true, hasFailed: false, gateway: { uid: 'gw_1' } })
    expect(ladder.rungs[3]?.detail).toBe('a1b2c3d4')
  })

  it.each([
    ['an expired token', enrollment({}, '2026-01-01T11:00:00Z'), [], 1, 'Make a new one.'],
    ['a revoked token', enrollment({ state: 'revoked' }), [], 1, 'Make a new one.'],
    [
      'a revoked credential',
      enrollment(confirmed),
      [gateway({ connection: 'revoked' })],
      2,
      'Enroll it again with a new command and --re-enroll.',
    ],
    [
      'a refused config',
      enrollment(confirmed),
      [gateway({ connection: 'online', config: { state: 'rejected', reason: 'LOCAL_POLICY' } })],
      3,
      'mcpg-ctl describe gateway edge',
    ],
    [
      'a gateway that left',
      enrollment(confirmed),
      [gateway({ connection: 'offline', config: { state: 'applied' } })],
      4,
      'mcpg-ctl gateway-status, on its machine',
    ],
  ])('names the remedy of %s', (_what, one, gateways, at, remedy) => {
    const ladder = ladderOf(one, gateways, now)
    expect(ladder.hasFailed).toBe(true)
    expect(ladder.rungs[at]).toMatchObject({ state: 'failed', remedy })
    expect(ladder.rungs.slice(at + 1).every((rung) => rung.state === 'ahead')).toBe(true)
  })
})
