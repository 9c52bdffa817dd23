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

async function provision(replicas: number, name = 'edge') {
  const { status, body } = await fleet.call('POST', gateways, { name, replicas }, { accept: 'application/json' })
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

  const one = await provision(1)
  expect([one.status, one.body.reason]).toEqual([409, 'gateway_would_change_identity'])
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

it('a group that cannot come up leaves nothing behind', async () => {
  cluster.fails.push('observe', 'observe', 'observe', 'observe', 'observe')
  const { body } = await provision(2)
  expect(body).toMatchObject({ state: 'failed' })
  expect([await rows(), await reserved(), cluster.pods.size]).toEqual([[], [0], 0])
})
