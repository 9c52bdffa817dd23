import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { ObjectEventReportSchema } from '@mcpg/proto/gen/delivery'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet | undefined
afterEach(async () => {
  await fleet?.close()
  fleet = undefined
})

type Seen = { about: string; reason: string; type: string; count: number; message: string }

async function events(query = ''): Promise<Seen[]> {
  const { body } = await fleet!.call('GET', `${workspace}/events?sort=updatedAt&limit=500${query}`)
  return (body.items as Resource[]).map(({ spec, status }) => {
    const { object, reason, type } = spec as { object: { kind: string; name: string }; reason: string; type: string }
    const { count, message } = status as { count: number; message: string }
    return { about: `${object.kind}/${object.name}`, reason, type, count, message }
  })
}

/** What an agent says happened, once. */
function report(...happened: { kind: string; name: string; reason: string; message?: string; count?: number; warning?: boolean }[]) {
  return {
    case: 'objectEvents' as const,
    value: create(ObjectEventReportSchema, {
      events: happened.map((one) => ({
        $typeName: 'mcpg.fleet.v1.ObjectEvent' as const,
        time: timestampFromMs(Date.now()),
        message: '',
        count: 1,
        warning: true,
        ...one,
      })),
    }),
  }
}

describe('object events', () => {
  it('tell that a gateway was enrolled, came, went and was revoked', async () => {
    fleet = await testFleet({ timers: 'offlineAfterReset=20' })
    const { agent } = await fleet.join('edge-1')
    agent.disconnect()
    await until(async () => (await events()).some(({ reason }) => reason === 'Offline'))
    await fleet.call('POST', `${workspace}/environments/default/gateways/edge-1/revoke`)
    expect((await events()).map(({ about, reason, type }) => [about, reason, type])).toEqual([
      ['Gateway/edge-1', 'Enrolled', 'Normal'],
      ['Gateway/edge-1', 'Online', 'Normal'],
      ['Gateway/edge-1', 'Offline', 'Warning'],
      ['Gateway/edge-1', 'Revoked', 'Warning'],
    ])
  })

  it('tell that a revision is held back, why, and that it is tried again', async () => {
    fleet = await testFleet()
    const knobs = { failing: new Set(['broken']) }
    await fleet.join('edge-1', { knobs })
    await fleet.apply({ name: 'broken', command: ['x'] })
    await until(async () => (await events()).some(({ reason }) => reason === 'HeldBack'))
    await fleet.call('POST', `${workspace}/servers/broken/restart`, { retry: true })
    await until(async () => (await events()).some(({ reason }) => reason === 'HoldLifted'))
    const told = await events('&labelSelector=server%3Dbroken')
    expect(new Set(told.map(({ about }) => about))).toEqual(new Set(['Server/broken']))
    expect(told.find(({ reason }) => reason === 'HeldBack')?.type).toBe('Warning')
    expect((await events()).map(({ reason }) => reason)).toContain('ConfigRolledBack')
  })

  it('of a gateway count up one row per object and reason, within what a gateway may tell', async () => {
    fleet = await testFleet()
    const { agent } = await fleet.join('edge-1')
    const crash = { kind: 'Instance', name: 'echo-1', reason: 'CrashLoop', message: 'exited with code 1' }
    agent.send(report(crash))
    agent.send(report({ ...crash, count: 4, message: 'exited with code 2' }))
    agent.send(report({ kind: 'Gateway', name: 'somebody-else', reason: 'ConfigRolledBack' }))
    agent.send(report({ ...crash, kind: 'Workspace' }, { ...crash, reason: 'not a reason' }, { ...crash, name: '' }))
    agent.send(report({ ...crash, reason: 'Leak', message: `sent mcpg_enr_${'a'.repeat(50)} ${'x'.repeat(5_000)}` }))
    await until(async () => (await events()).some(({ reason }) => reason === 'Leak'))
    const told = new Map((await events()).map((one) => [`${one.about} ${one.reason}`, one]))
    for (const reason of ['Online', 'Enrolled']) told.delete(`Gateway/edge-1 ${reason}`)
    expect(Array.from(told, ([about, { count }]) => [about, count]).sort()).toEqual([
      ['Gateway/edge-1 ConfigRolledBack', 1],
      ['Instance/echo-1 CrashLoop', 5],
      ['Instance/echo-1 Leak', 1],
    ])
    expect(told.get('Instance/echo-1 CrashLoop')?.message).toBe('exited with code 2')
    const { message = '' } = told.get('Instance/echo-1 Leak') ?? {}
    expect([message.startsWith('sent mcpg_[redacted] xxx'), message.length]).toEqual([true, 1024])
  })

  it('of one gateway never push out those of others', async () => {
    fleet = await testFleet()
    const { agent } = await fleet.join('edge-1')
    for (let frame = 0; frame < 15; frame++)
      agent.send(
        report(...Array.from({ length: 100 }, (_, index) => ({ kind: 'Instance', name: `i-${frame}-${index}`, reason: 'CrashLoop' }))),
      )
    agent.send(report({ kind: 'Instance', name: 'i-0-0', reason: 'CrashLoop' }))
    const stored = await until(async () => {
      const rows = await fleet!.db().read.event.findMany({ where: { gateway: 'edge-1' } })
      return rows.some(({ name, count }) => name === 'i-0-0' && count === 2) && rows
    })
    expect(stored).toHaveLength(1_000)
  })

  it('outlive a restart of the control plane with their counts, and are gone after a day', async () => {
    const clock = fakeClock(Date.now())
    fleet = await testFleet({ clock })
    const tell = () =>
      fleet!.app().fleet.events.tell({
        scope: { org: 'default', workspace: 'default' },
        kind: 'Server',
        name: 'echo',
        reason: 'Odd',
        warning: false,
        message: 'once more',
      })
    tell()
    tell()
    await clock.advance(1_000)
    await fleet.restart()
    tell()
    expect(await events()).toEqual([{ about: 'Server/echo', reason: 'Odd', type: 'Normal', count: 3, message: 'once more' }])
    await clock.advance(25 * 3_600_000)
    await fleet.app().fleet.events.chore.run(new AbortController().signal)
    expect([await events(), await fleet.db().read.event.count()]).toEqual([[], 0])
  })
})
