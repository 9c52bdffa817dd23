import { expect, it } from 'vitest'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { rowsOf } from '../harness/database.ts'
import { legacySession } from '../harness/mcp.ts'
import type { ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture } from '../scenarios/fleet.ts'
import { begin, gatewaysPath, managedTimers, operationsOf } from '../scenarios/managed.ts'
import { registrationOf, startApiServer, startReachable } from '../scenarios/managed-api-server.ts'

const timers = { MCPG_TIMERS: `${managedTimers.MCPG_TIMERS},clusterDrain=200` }

/** Two clusters and a gateway of two replicas on the first. */
async function group() {
  const stateDir = temporaryFolder()
  const controlPlane = await startReachable({ stateDir, env: timers })
  const now = () => controlPlane
  const [one, two] = [await startApiServer({ controlPlane: now }), await startApiServer({ controlPlane: now })]
  const call = api(controlPlane.http)
  await call.servers(fixture('echo', 'echo'))
  await call.call('POST', '/v1/admin/clusters', registrationOf('one', one))
  const { answer } = await begin(controlPlane, 'POST', gatewaysPath, { body: { name: 'edge', replicas: 2, region: 'eu' } })
  const made = await ended(controlPlane, answer.operationId)
  expect(made).toMatchObject({ kind: 'create', state: 'succeeded' })
  return {
    stateDir,
    one,
    two,
    uid: answer.instanceUid,
    controlPlane,
  }
}

const ended = (controlPlane: Pick<ControlPlane, 'http'>, id: string) =>
  until(
    `the end of ${id}`,
    async () => (await operationsOf(controlPlane)).find((one) => one.id === id && one.finishedAt !== undefined),
    90_000,
  )

/** Rows of the tables as they must be when the group is on one cluster, and nothing of it anywhere else. */
async function expectWholeOn(cluster: string, uid: string, stateDir: string): Promise<void> {
  const rows = async (text: string) => (await rowsOf<{ what: string }>(stateDir, text)).map(({ what }) => what).toSorted()
  expect(await rows(`SELECT "instanceUid" AS "what" FROM "gateways"`)).toEqual([`${uid}-0`, `${uid}-1`])
  expect(await rows(`SELECT "name" || ' ' || "gatewaysReserved" AS "what" FROM "clusters" WHERE "driver" = 'kubernetes'`)).toEqual(
    ['one', 'two'].map((name) => `${name} ${name === cluster ? 2 : 0}`),
  )
  expect(await rows(`SELECT "gatewayUid" || ' ' || "state" AS "what" FROM "reservations" WHERE "state" <> 'released'`)).toEqual([
    `${uid} committed`,
  ])
  // Of the group that runs, and of no other: a pod on a new volume enrolls by it.
  expect(await rows(`SELECT "expectedInstanceUid" AS "what" FROM "enrollments" WHERE "revokedAt" IS NULL`)).toEqual([uid])
}

it('moves all replicas of a gateway together: tools, group and room go with them, and nothing is left behind', async () => {
  const { controlPlane, stateDir, one, two, uid } = await group()
  const { call } = api(controlPlane.http)
  expect(one.node.processes().map(({ pod }) => pod)).toEqual([`${uid}-0`, `${uid}-1`])
  await call('POST', '/v1/admin/clusters', registrationOf('two', two))
  await call('POST', '/v1/admin/clusters/one/drain', {})
  expect(await drained(controlPlane)).toMatchObject({ total: 1, left: 0, expired: false })

  const [moved] = await operationsOf(controlPlane)
  expect(moved).toMatchObject({ kind: 'move', state: 'succeeded', cluster: 'two' })
  const after = moved!.gateway.instanceUid
  expect(two.node.processes().map(({ pod }) => pod)).toEqual([`${after}-0`, `${after}-1`])
  expect([one.node.processes(), one.objects()]).toEqual([[], []])
  await expectWholeOn('two', after, stateDir)
  for (const ordinal of [0, 1]) {
    const gateway = await api(controlPlane.http).get('gateways', `${after}-${ordinal}`)
    expect(gateway).toMatchObject({ metadata: { labels: { 'mcpg.dev/group': 'edge' } }, status: { connection: 'online' } })
    const session = await legacySession(two.node.endpointOf(`${after}-${ordinal}`)!)
    expect(await session.tools()).toContain('echo__pid')
    await session.close()
  }
  expect(await call('GET', `${gatewaysPath}/edge/deployment`)).toMatchObject({ instanceUid: after, cluster: { name: 'two' } })

  // It is changed in place there, as it was before, and goes at once.
  const { answer } = await begin(controlPlane, 'POST', gatewaysPath, { body: { name: 'edge', replicas: 3 } })
  expect(await ended(controlPlane, answer.operationId)).toMatchObject({ kind: 'update', state: 'succeeded' })
  expect(two.node.processes()).toHaveLength(3)
  const { answer: deleting } = await begin(controlPlane, 'DELETE', `${gatewaysPath}/edge`)
  expect(await ended(controlPlane, deleting.operationId)).toMatchObject({ state: 'succeeded' })
  expect([two.node.processes(), two.objects()]).toEqual([[], []])
}, 240_000)

const drained = (controlPlane: Pick<ControlPlane, 'http'>) =>
  until(
    'it is drained',
    async () => {
      const { drain } = await api(controlPlane.http).call<Cluster>('GET', '/v1/clusters/one')
      return drain?.finishedAt === undefined ? null : drain
    },
    90_000,
  )
