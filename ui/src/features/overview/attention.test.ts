import type { Resource } from '@mcpg/proto/kinds/kind'
import { describe, expect, it } from 'vitest'
import { enrollmentView } from '../../lib/objects/enrollment.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { instanceView } from '../../lib/objects/instance.ts'
import { serverView } from '../../lib/objects/server.ts'
import { attentionOf, type Fleet } from './attention.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const object = (kind: string, name: string, spec: object, status: object): Resource => ({
  kind,
  metadata: { name, uid: name } as Resource['metadata'],
  spec: { ...spec },
  status: { ...status },
})
const gateway = (name: string, status: object) => gatewayView(object('Gateway', name, {}, status))
const server = (name: string, status: object, spec: object = {}) => serverView(object('Server', name, spec, status))
const none: Fleet = { gateways: [], servers: [], instances: [], enrollments: [] }
const words = (fleet: Partial<Fleet>) =>
  attentionOf({ ...none, ...fleet }, now).map(
    (row) => `${row.object.name}${row.on ? `@${row.on}` : ''} ${row.word}${row.reason ? ` ${row.reason}` : ''}`,
  )

describe('what needs attention', () => {
  it('is nothing in a healthy fleet', () => {
    const healthy = { connection: 'online', config: { state: 'applied' } }
    expect(
      words({ gateways: [gateway('g', healthy)], servers: [server('s', { placed: 1, gateways: [{ gateway: 'g', state: 'ready' }] })] }),
    ).toEqual([])
  })

  it.each(['offline', 'late', 'unknown', 'never_seen'])('names a gateway that is %s', (connection) => {
    expect(words({ gateways: [gateway('g', { connection })] })).toEqual([`g ${connection}`])
  })

  it.each(['stopped', 'revoked'])('leaves a gateway alone that somebody %s', (connection) => {
    expect(words({ gateways: [gateway('g', { connection })] })).toEqual([])
  })

  it.each([
    ['2026-01-01T23:00:00Z', []],
    ['2026-01-01T15:00:00Z', ['g expiring Certificate']],
    ['2026-01-01T11:00:00Z', ['g expired Certificate']],
  ])('names a certificate that ends %s only when its renewals must have failed', (notAfter, rows) => {
    const status = { connection: 'online', credential: { kind: 'certificate', notAfter } }
    expect(words({ gateways: [gateway('g', status)] })).toEqual(rows)
    expect(words({ gateways: [gateway('g', { ...status, connection: 'revoked' })] })).toEqual([])
    expect(words({ gateways: [gateway('g', { ...status, credential: { kind: 'bearer', notAfter } })] })).toEqual([])
  })

  it('names a gateway that is pinned, and what waits for it', () => {
    const pinned = { generation: 3, since: '2026-01-01T11:00:00Z', by: 'ada', waiting: ['a', 'b'] }
    const rows = attentionOf({ ...none, gateways: [gateway('g', { connection: 'online', config: { state: 'applied', pinned } })] }, now)
    expect(rows).toMatchObject([{ word: 'pinned', tone: 'amber', message: expect.stringContaining('2 servers would change') }])
  })

  it('keeps a refused config apart from a silent gateway', () => {
    const both = gateway('g', { connection: 'offline', config: { state: 'rolled_back', reason: 'UNHEALTHY' } })
    expect(words({ gateways: [both] }).sort()).toEqual(['g offline', 'g rolled_back UNHEALTHY'])
  })

  it('offers restart --retry for a server that is held back, once per gateway', () => {
    const held = server('s', {
      placed: 1,
      gateways: [{ gateway: 'g', state: 'failed', heldBack: { reason: 'ExitedEarly', message: '', since: '' } }],
    })
    const rows = attentionOf({ ...none, servers: [held] }, now)
    expect(rows.map((row) => row.word)).toEqual(['held_back'])
    expect(rows[0]?.fixes[0]).toEqual({ kind: 'retry', server: 's' })
  })

  it('says crash_loop where an instance says so', () => {
    const failed = server('s', { placed: 1, gateways: [{ gateway: 'g', state: 'failed' }] })
    const looping = instanceView(object('Instance', 'i', { server: 's', gateway: 'g' }, { state: 'crash_loop', reason: 'ExitedEarly' }))
    expect(words({ servers: [failed], instances: [looping] })).toEqual(['s@g crash_loop ExitedEarly'])
  })

  it('does not blame a server for a gateway that does not report', () => {
    expect(words({ servers: [server('s', { placed: 1, gateways: [{ gateway: 'g', state: 'unknown' }] })] })).toEqual([])
  })

  it('names a server without a gateway, but not a stopped one', () => {
    const conditions = [{ type: 'Unplaced', status: 'True', reason: 'NoGateway', message: '', lastTransitionTime: '' }]
    expect(words({ servers: [server('s', { conditions }), server('t', { conditions }, { state: 'stopped' })] })).toEqual([
      's unplaced NoGateway',
    ])
  })

  it('warns of an unused enrollment in its last minutes only', () => {
    const enrollment = (name: string, expiresAt: string, usedCount = 0) =>
      enrollmentView(object('Enrollment', name, { maxUses: 1, expiresAt }, { state: 'open', usedCount }))
    const list = [
      enrollment('soon', '2026-01-01T12:02:00Z'),
      enrollment('later', '2026-01-01T12:10:00Z'),
      enrollment('over', '2026-01-01T11:00:00Z'),
    ]
    expect(words({ enrollments: [...list, enrollment('used', '2026-01-01T12:02:00Z', 1)] })).toEqual(['soon expiring'])
  })

  it('puts the worst and newest first', () => {
    const rows = words({
      gateways: [
        gateway('a', { connection: 'late' }),
        gateway('b', { connection: 'offline', lastSeenAt: '2026-01-01T10:00:00Z' }),
        gateway('c', { connection: 'offline', lastSeenAt: '2026-01-01T11:00:00Z' }),
      ],
    })
    expect(rows).toEqual(['c offline', 'b offline', 'a late'])
  })
})
