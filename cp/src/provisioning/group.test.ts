import { afterEach, beforeEach, expect, it } from 'vitest'
import { fakeDriver, type FakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
let cluster: FakeDriver
beforeEach(async () => {
  cluster = fakeDriver({ fleet: () => fleet, attests: true })
  const timers = 'operationLease=300,operationRetry=10,provisionStep=3000,provisionConfig=3000'
  fleet = await testFleet({ managed: { drivers: [cluster.driver] }, timers })
})
afterEach(() => fleet.close())

const gateways = `${environment}/gateways`
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)))

async function provision(replicas: number, name = 'edge', more: { maxReplicas?: number } = {}) {
  const { status, body } = await fleet.call('POST', gateways, { name, replicas, ...more }, { accept: 'application/json' })
  if (status !== 202) return { status, body, uid: '' }
  return { status, body: await ended(body.operationId), uid: body.instanceUid as string }
}

const rows = async () =>
  (await fleet.db().read.gateway.findMany({ orderBy: { instanceUid: 'asc' } })).map(({ instanceUid, name, labels }) => ({
    instanceUid,
    name,
    labels: JSON.parse(labels) as object,
  }))
const reserved = async () => (await fleet.db().read.cluster.findMany()).map((one) => one.gatewaysReserved)
/** As it lies in the cluster: its id is all that it holds. */
const groupUrl = async () => `http://x/enroll/${(await fleet.db().read.enrollment.findFirst({ where: { maxUses: { gt: 1 } } }))!.id}`

it('several replicas are a gateway each, become more and fewer in place, and go together', async () => {
  const { uid, body } = await provision(2)
  expect(body).toMatchObject({ state: 'succeeded' })
  const labels = { 'mcpg.dev/group': 'edge' }
  const member = (ordinal: number) => ({ instanceUid: `${uid}-${ordinal}`, name: `${uid}-${ordinal}`, labels })
  expect(await rows()).toEqual([member(0), member(1)])
  expect(await reserved()).toEqual([2])
  const deployment = async (word: string) => await fleet.call('GET', `${gateways}/${word}/deployment`)
  expect((await deployment(`${uid}-0`)).body).toMatchObject({ instanceUid: uid, parameters: { replicas: 2 } })
  expect((await deployment(`${uid}-2`)).status).toBe(404)

  expect((await provision(3)).body).toMatchObject({ state: 'succeeded' })
  expect(await rows()).toEqual([member(0), member(1), member(2)])
  expect((await provision(2)).body).toMatchObject({ state: 'succeeded' })
  expect(await rows()).toEqual([member(0), member(1)])
  expect(await reserved()).toEqual([2])

  const single = await fleet.call('DELETE', `${gateways}/${uid}-1`, undefined, { accept: 'application/json' })
  expect([single.status, single.body.reason]).toEqual([409, 'gateway_is_a_replica'])

  const url = await groupUrl()
  const { body: deleting } = await fleet.call('DELETE', `${gateways}/${uid}`, undefined, { accept: 'application/json' })
  expect(await ended(deleting.operationId)).toMatchObject({ state: 'succeeded' })
  expect([await rows(), await reserved(), cluster.pods.size]).toEqual([[], [0], 0])
  expect((await cluster.join(url, `${uid}-0`)).body.reason).toBe('token_revoked')
})

it('a replica enrolls by the word of its cluster and nothing else', async () => {
  const { uid } = await provision(2)
  const { uid: other } = await provision(2, 'other')
  const url = await groupUrl()
  const refused = async (pod: string, token?: string) => {
    const { status, body } = await cluster.join(url, pod, token)
    return `${status} ${body.reason}`
  }
  expect(await refused(`${uid}-0`, '')).toBe('403 attestation_required')
  expect(await refused(`${uid}-0`, `pod ${other}-0`)).toBe('403 attestation_refused')
  expect(await refused(`${uid}-0`, `pod ${uid}-1`)).toBe('403 instance_uid_mismatch')
  expect(await refused(`${uid}-2`)).toBe('403 attestation_refused')

  // However long ago the operation ended that it was made for.
  const longAgo = new Date(Date.now() - 100 * 86_400_000).toISOString()
  await fleet.db().write((tx) => tx.operation.updateMany({ data: { finishedAt: longAgo } }))
  await fleet.db().write((tx) => tx.operation.deleteMany({ where: { finishedAt: longAgo } }))

  // Its volume is new: the pod is the one that counts, and the credential of before is void.
  const before = (await fleet.db().read.gateway.findFirst({ where: { instanceUid: `${uid}-0` } }))!
  const again = await cluster.join(url, `${uid}-0`)
  expect(again.status).toBe(200)
  expect(again.body.gatewayId).not.toBe(before.id)
  expect((await rows()).filter(({ instanceUid }) => instanceUid.startsWith(uid))).toHaveLength(2)

  // Whom a person revoked does not come back so.
  expect((await fleet.call('POST', `${gateways}/${uid}-1/revoke`)).status).toBeLessThan(300)
  expect(await refused(`${uid}-1`)).toBe('409 gateway_revoked')
  const { token } = await fleet.createEnrollment({})
  expect((await cluster.join(`http://x/enroll/${token}`, 'stranger')).body.reason).toBe('attestation_unsupported')
})

it('one becomes several and several one in place, and who stays is who it was', async () => {
  const { uid } = await provision(1)
  const [alone] = await rows()
  expect(alone).toEqual({ instanceUid: uid, name: 'edge', labels: { 'mcpg.dev/group': 'edge' } })
  const idOf = async (instanceUid: string) => (await fleet.db().read.gateway.findFirst({ where: { instanceUid } }))?.id
  const before = await idOf(uid)

  expect((await provision(3)).body).toMatchObject({ kind: 'update', state: 'succeeded', gateway: { instanceUid: uid } })
  expect((await rows()).map(({ instanceUid, name }) => `${name} ${instanceUid}`)).toEqual([
    `edge ${uid}`,
    `${uid}-1 ${uid}-1`,
    `${uid}-2 ${uid}-2`,
  ])
  expect([await idOf(uid), await reserved(), cluster.pods.size]).toEqual([before, [3], 3])
  const others = await Promise.all([1, 2].map((ordinal) => idOf(`${uid}-${ordinal}`)))

  expect((await provision(1)).body).toMatchObject({ state: 'succeeded' })
  expect([await idOf(uid), await reserved(), [...cluster.pods.keys()]]).toEqual([before, [1], [uid]])
  for (const id of others) expect((await fleet.call('GET', `${gateways}/${id}`)).status).toBe(404)
  // Their credentials are void: whoever kept one is told so.
  const buried = await fleet.db().read.gatewayTombstone.findMany()
  expect(buried.map(({ id }) => id)).toEqual(expect.arrayContaining(others))

  // Its volume is lost: it comes back as the pod that it is, and the one before is gone.
  expect((await cluster.join(await groupUrl(), `${uid}-0`)).status).toBe(200)
  expect((await rows()).map(({ instanceUid }) => instanceUid)).toEqual([`${uid}-0`])
  expect((await provision(2)).body).toMatchObject({ state: 'succeeded' })
  expect((await rows()).map(({ instanceUid }) => instanceUid)).toEqual([`${uid}-0`, `${uid}-1`])
  expect((await provision(1)).body).toMatchObject({ state: 'succeeded' })
  // The only one is all of it.
  const { body } = await fleet.call('DELETE', `${gateways}/${uid}-0`, undefined, { accept: 'application/json' })
  expect(await ended(body.operationId)).toMatchObject({ kind: 'delete', state: 'succeeded' })
  expect([await rows(), await reserved(), cluster.pods.size]).toEqual([[], [0], 0])
}, 60_000)

it.each([
  [1, 3],
  [3, 1],
])(
  'a change from %i to %i replicas that fails leaves everything as it was',
  async (from, to) => {
    const { uid } = await provision(from)
    const ids = async () => (await fleet.db().read.gateway.findMany({ orderBy: { instanceUid: 'asc' } })).map(({ id }) => id)
    const before = { rows: await rows(), ids: await ids(), reserved: await reserved() }
    cluster.fails.push('observe', 'observe', 'observe', 'observe', 'observe')
    expect((await provision(to)).body).toMatchObject({ kind: 'update', state: 'failed', error: { reason: 'planned' } })
    expect({ rows: await rows(), ids: await ids(), reserved: await reserved() }).toEqual(before)
    expect((await fleet.call('GET', `${gateways}/${uid}/deployment`)).body.parameters).toMatchObject({ replicas: from })
    expect((await provision(to)).body).toMatchObject({ state: 'succeeded' })
    expect([(await rows()).length, await reserved()]).toEqual([to, [to]])
  },
  60_000,
)

it('scales by load up to a number that is reserved, each replica a gateway of its own', async () => {
  const none = await provision(2, 'edge', { maxReplicas: 2 })
  expect([none.status, none.body.errors]).toEqual([
    400,
    [{ pointer: '/maxReplicas', detail: expect.stringContaining('more than replicas (2)') }],
  ])
  const { uid, body } = await provision(1, 'edge', { maxReplicas: 3 })
  expect(body).toMatchObject({ state: 'succeeded', parameters: { replicas: 1, maxReplicas: 3 } })
  const uids = async () => (await rows()).map(({ instanceUid }) => instanceUid)
  expect([await uids(), await reserved()]).toEqual([[`${uid}-0`], [3]])

  // Load makes it more, and no more than was said.
  const url = await groupUrl()
  expect((await cluster.join(url, `${uid}-2`)).status).toBe(200)
  expect((await cluster.join(url, `${uid}-3`)).body.reason).toBe('attestation_refused')
  expect((await fleet.call('GET', `${gateways}/${uid}-2/deployment`)).body).toMatchObject({ instanceUid: uid })

  // The same again takes nothing away, less does, and a fixed number is one again.
  expect((await provision(1, 'edge', { maxReplicas: 3 })).body).toMatchObject({ state: 'succeeded' })
  expect([await uids(), await reserved()]).toEqual([[`${uid}-0`, `${uid}-2`], [3]])
  expect((await provision(1, 'edge', { maxReplicas: 2 })).body).toMatchObject({ state: 'succeeded' })
  expect([await uids(), await reserved()]).toEqual([[`${uid}-0`], [2]])
  expect((await provision(2)).body).toMatchObject({ state: 'succeeded', parameters: { replicas: 2 } })
  expect([await uids(), await reserved()]).toEqual([[`${uid}-0`, `${uid}-1`], [2]])
  expect((await fleet.call('GET', `${gateways}/${uid}/deployment`)).body.parameters).not.toHaveProperty('maxReplicas')
}, 120_000)

it('what is left of replicas that went is told, and does not bring them back', async () => {
  const { uid } = await provision(3)
  cluster.fails.push('prune', 'prune', 'prune', 'prune', 'prune')
  const { body } = await provision(1)
  expect(body).toMatchObject({ state: 'succeeded' })
  expect([(await rows()).map(({ instanceUid }) => instanceUid), await reserved()]).toEqual([[`${uid}-0`], [1]])
})

it('a group that cannot come up leaves nothing behind', async () => {
  cluster.fails.push('observe', 'observe', 'observe', 'observe', 'observe')
  const { body } = await provision(2)
  expect(body).toMatchObject({ state: 'failed' })
  expect([await rows(), await reserved(), cluster.pods.size]).toEqual([[], [0], 0])
})
