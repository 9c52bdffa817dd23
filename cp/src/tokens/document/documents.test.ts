import { create } from '@bufbuild/protobuf'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { AccessDocument, accessSignaturePrefix, accessSignedPart } from '@mcpg/proto/access-document'
import { AccessFailure, AccessStatusSchema, type AccessOffer } from '@mcpg/proto/gen/delivery'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { everything } from '@mcpg/proto/grants'
import { last, type FakeAgent } from '../../../test/fake-agent.ts'
import { newIdentity } from '../../../test/identity.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../../test/fleet.ts'
import { tokenStore } from '../store.ts'
import { accessDocuments } from './documents.ts'

const capabilities = [GatewayCapability.ACCESS_DOCUMENT]
const keyOf = (token: string) => createHash('sha256').update(token).digest('base64url')
const documentOf = ({ document }: AccessOffer) => AccessDocument.parse(JSON.parse(Buffer.from(document).toString()))

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
  await fleet.call('POST', `${workspace}/projects`, { kind: 'Project', metadata: { name: 'web' }, spec: {} })
})
afterEach(() => fleet.close())

const make = async (name: string, more: object = {}): Promise<string> =>
  (await fleet.call('POST', `${workspace}/projects/web/tokens`, { name, ttl: 'never', ...more })).body.token
const revoke = (name: string) => fleet.call('POST', `${workspace}/projects/web/tokens/${name}/revoke`)
const offersOf = (agent: FakeAgent) => agent.frames.flatMap((frame) => (frame.case === 'accessOffer' ? [frame.value] : []))
const answer = (agent: FakeAgent, version: bigint, failure = AccessFailure.UNSPECIFIED) =>
  agent.send({ case: 'accessStatus', value: create(AccessStatusSchema, { version, failure }) })
/** The newest offer of this version or a later one, answered as a gateway does that takes it. */
async function taken(agent: FakeAgent, above = 0n): Promise<AccessOffer> {
  const offer = await until(async () => {
    const newest = last(agent, 'accessOffer')
    return newest && newest.version > above ? newest : undefined
  })
  answer(agent, offer.version)
  return offer
}

async function joined(instanceUid: string) {
  const { token } = await fleet.createEnrollment()
  const { body } = await fleet.redeem(token, await newIdentity(), instanceUid)
  const agent = fleet.agentOf(body.credential.bearerToken, instanceUid, { capabilities })
  agent.connect()
  const signingKeys = (body.configSigningKeys as string[]).map((key) => Buffer.from(key, 'base64'))
  return { agent, gatewayId: body.gatewayId as string, signingKeys }
}

function isSigned({ version, baseVersion, document, signature }: AccessOffer, gatewayId: string, keys: Buffer[]): boolean {
  const part = accessSignedPart({ gatewayId, version, baseVersion, documentSha256: createHash('sha256').update(document).digest() })
  const bytes = Buffer.concat([Buffer.from(accessSignaturePrefix), part])
  return keys.some((key) => {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' })
    return verify(null, bytes, publicKey, signature)
  })
}

describe('the access document', () => {
  it('comes whole and signed at the first stream, and then what is new or gone', async () => {
    const claude = await make('claude')
    const { agent, gatewayId, signingKeys } = await joined('edge-1')
    const whole = await taken(agent)
    expect([whole.baseVersion, documentOf(whole)]).toEqual([
      0n,
      {
        v: 1,
        workspace: 'default',
        tokens: { [keyOf(claude)]: { id: expect.stringMatching(/^tok_/), subject: 'local', grants: expect.any(String) } },
        grants: { [documentOf(whole).tokens[keyOf(claude)]!.grants]: [{ on: 'servers', project: 'web' }] },
        environments: { default: { endpointAuth: 'auto' } },
      },
    ])
    expect([isSigned(whole, gatewayId, signingKeys), isSigned(whole, 'gw_other', signingKeys)]).toEqual([true, false])

    const cursor = await make('cursor', { bind: [{ role: 'run', resource: 'tools', name: 'files__read' }] })
    const added = await taken(agent, whole.version)
    expect(added.baseVersion).toBe(whole.version)
    expect(documentOf(added)).toMatchObject({ tokens: { [keyOf(cursor)]: {} }, environments: {} })
    expect(Object.values(documentOf(added).grants)).toEqual([[{ on: 'tools', project: 'web', names: ['files__read'] }]])

    await revoke('claude')
    const removed = await taken(agent, added.version)
    expect(documentOf(removed)).toEqual({ v: 1, workspace: 'default', tokens: {}, grants: {}, environments: {}, removed: [keyOf(claude)] })

    await fleet.call('PUT', `${environment}/endpoint-access`, { endpointAuth: 'required', maxAccessAge: '2h' })
    const guarded = await taken(agent, removed.version)
    expect(documentOf(guarded).environments).toEqual({ default: { endpointAuth: 'required', maxAgeMs: 7_200_000 } })
    expect((await fleet.call('GET', `${environment}/endpoint-access`)).body).toEqual({ endpointAuth: 'required', maxAccessAge: '7200s' })
  })

  it('takes what changes while one is on its way together, and comes whole to a gateway that is unsure', async () => {
    const { agent } = await fleet.join('edge-1', { knobs: { capabilities } })
    const first = await until(async () => last(agent, 'accessOffer'))
    const tokens = await Promise.all(['a', 'b', 'c'].map((name) => make(name)))
    expect(offersOf(agent).length).toBe(1)
    answer(agent, first.version)
    const second = await until(async () => offersOf(agent)[1])
    expect([second.baseVersion, Object.keys(documentOf(second).tokens).toSorted()]).toEqual([first.version, tokens.map(keyOf).toSorted()])
    answer(agent, 0n, AccessFailure.BASE_UNKNOWN)
    expect((await until(async () => offersOf(agent)[2])).baseVersion).toBe(0n)
  })

  it('keeps its number over a restart, and goes above one that a gateway has from another day', async () => {
    await make('claude')
    const { agent } = await fleet.join('edge-1', { knobs: { capabilities } })
    const { version } = await taken(agent)
    const rows = () => fleet.db().read.accessVersion.findMany()
    const before = await rows()
    await fleet.restart()
    const { agent: other } = await fleet.join('edge-2', { knobs: { capabilities } })
    expect((await taken(other)).version).toBe(version)
    expect(await rows()).toEqual(before)
    await make('more')
    const newest = await taken(other, version)
    answer(other, 1_000n, AccessFailure.STALE)
    await until(async () => (last(other, 'accessOffer')!.version > 1_000n ? true : undefined))
    expect([last(other, 'accessOffer')!.baseVersion, newest.version < 1_000n]).toEqual([0n, true])
  })

  it('is not sent to a gateway that knows nothing of it', async () => {
    const { agent } = await fleet.join('edge-1')
    await make('claude')
    agent.heartbeat()
    await until(async () => (agent.frames.some((frame) => frame.case === 'heartbeatAck') ? true : undefined))
    expect(offersOf(agent)).toEqual([])
  })

  it('is made again after a failure, and loses nothing of what changed meanwhile', async () => {
    const clock = fakeClock()
    const documents = accessDocuments({
      db: { read: fleet.db().read, write: (run) => (isAway ? Promise.reject(new Error('away')) : fleet.db().write(run)) },
      store: tokenStore(fleet.db()),
      ownerOf: async () => ({ subject: 'local', grants: everything }),
      vouched: async () => null,
      grantsOf: async () => [],
      environmentsOf: async () => ({}),
      clock,
      log: createLog({ level: 'silent', json: true }),
    })
    let isAway = false
    await make('claude')
    const path = { org: 'default', workspace: 'default' }
    const first = await documents.version(path)
    await revoke('claude')
    isAway = true
    documents.recompile(path)
    await documents.idle()
    expect(await documents.version(path)).toBe(first)
    isAway = false
    await clock.advance(5_000)
    await documents.idle()
    const { version, baseVersion, document } = await documents.offer(path, first)
    expect([version, baseVersion, document.removed?.length]).toEqual([first + 1, first, 1])
    await documents.stop()
  })

  it('tells of one revocation among ten thousand tokens in less than a kibibyte', async () => {
    const db = fleet.db()
    const at = new Date().toISOString()
    await db.write(async (tx) => {
      for (let from = 0; from < 10_000; from += 500)
        await tx.token.createMany({
          data: Array.from({ length: 500 }, (_, index) => ({
            id: `tok_${from + index}`,
            scope: 'default/default/proj/web',
            name: `t-${from + index}`,
            org: 'default',
            workspace: 'default',
            project: 'web',
            sha256: randomBytes(32).toString('hex'),
            ownerKind: 'local',
            owner: '',
            createdBy: 'local',
            grants: JSON.stringify([{ place: { org: 'default', workspace: 'default', project: 'web' }, verbs: ['run'], on: 'servers' }]),
            createdAt: at,
            updatedAt: at,
          })),
        })
    })
    const { agent } = await fleet.join('edge-1', { knobs: { capabilities } })
    const whole = await taken(agent)
    expect(Object.keys(documentOf(whole).tokens).length).toBe(10_000)
    // One frame of the stream holds it.
    expect(whole.document.length).toBeLessThan(2 * 1024 * 1024)
    await revoke('t-5000')
    expect((await taken(agent, whole.version)).document.length).toBeLessThan(1024)
  }, 60_000)
})
