import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AccessDocument } from '@mcpg/proto/access-document'
import { AccessStatusSchema, IssuerKeysWantedSchema } from '@mcpg/proto/gen/delivery'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { last, type FakeAgent } from '../../../test/fake-agent.ts'
import { testFleet, until, type TestFleet } from '../../../test/fleet.ts'
import { testIssuer, type TestIssuer } from '../../../test/issuer.ts'
import { personKey } from './entries.ts'

const org = '/v1/orgs/default'
const bob = { sub: 'bob', email: 'bob@example.com' }

let issuer: TestIssuer
let fleet: TestFleet
beforeEach(async () => {
  issuer = await testIssuer(() => Date.now())
  const change: NonNullable<Parameters<typeof testFleet>[0]>['change'] = (config) => ({
    ...config,
    authMode: 'oidc',
    oidc: issuer.settings({ adminGroups: ['platform'] }),
  })
  fleet = await testFleet({ change, signedIn: () => as({ sub: 'ada', groups: ['platform'] }) })
})
afterEach(async () => {
  await fleet.close()
  await issuer.stop()
})

const as = async (claims: object, atSeconds = 0) => ({ authorization: `Bearer ${await issuer.token(claims as never, { atSeconds })}` })
const keyOf = (sub: string) => personKey(issuer.url, sub)
const me = async (claims: object, atSeconds = 0) => (await fleet.call('GET', '/v1/auth/me', undefined, await as(claims, atSeconds))).status
const bind = (name: string, subjects: object[]) =>
  make('rolebindings', 'RoleBinding', name, { role: 'runner', subjects, workspace: 'default' })
async function make(plural: string, kind: string, name: string, spec: object): Promise<void> {
  const { status, body } = await fleet.call('POST', `${org}/${plural}`, { kind, metadata: { name }, spec })
  if (status !== 201) throw new Error(JSON.stringify(body))
}

/** A gateway that takes every offer; `next` waits for one that is right, however many it takes. */
async function gateway() {
  const { agent } = await fleet.join('edge-1', { knobs: { capabilities: [GatewayCapability.ACCESS_DOCUMENT] } })
  let answered: ReturnType<typeof newest>
  return { agent, next }

  async function next(
    isRight: (document: AccessDocument) => boolean,
  ): Promise<{ document: AccessDocument; bytes: number; isWhole: boolean }> {
    return until(async () => {
      const offer = newest(agent)
      if (!offer || offer === answered) return null
      answered = offer
      agent.send({ case: 'accessStatus', value: create(AccessStatusSchema, { version: offer.version }) })
      const document = AccessDocument.parse(JSON.parse(Buffer.from(offer.document).toString()))
      return isRight(document) && { document, bytes: offer.document.length, isWhole: offer.baseVersion === 0n }
    })
  }
}
const newest = (agent: FakeAgent) => last(agent, 'accessOffer')

const kidOf = ({ issuers = {} }: AccessDocument) => issuers[issuer.url]?.keys[0]?.['kid']

describe('people in the access document', () => {
  it('are those who may use something there, by issuer and subject, beside the keys of the issuer', async () => {
    await me(bob)
    await me({ sub: 'carol', email: 'carol@example.com' })
    await bind('bob-runs', [{ kind: 'User', name: bob.email }])
    const { next } = await gateway()
    const { document } = await next(({ people = {} }) => keyOf('bob') in people)
    expect(Object.keys(document.people!).toSorted()).toEqual([keyOf('ada'), keyOf('bob')].toSorted())
    const { subject, grants } = document.people![keyOf('bob')]!
    expect([subject, document.grants[grants]]).toEqual([bob.email, expect.arrayContaining([{ on: 'servers' }, { on: 'tools' }])])
    expect(document.grants[document.people![keyOf('ada')]!.grants]).toEqual([{ on: '*' }])
    expect(document.issuers).toEqual({
      [issuer.url]: {
        audiences: ['mcpg', 'mcpg-ctl'],
        keys: [{ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: expect.any(String), alg: 'EdDSA' }],
      },
    })
  })

  it('come and go by a delta: a binding, a group that the issuer names, a person who is deleted', async () => {
    await me(bob)
    const { next } = await gateway()
    await next(() => true)
    await bind('bob-runs', [{ kind: 'User', name: bob.email }])
    expect((await next(({ people = {} }) => keyOf('bob') in people)).isWhole).toBe(false)
    await fleet.call('DELETE', `${org}/rolebindings/bob-runs`)
    const gone = await next(({ removed = [] }) => removed.includes(keyOf('bob')))
    expect([gone.isWhole, gone.bytes < 1024, gone.document.issuers]).toEqual([false, true, undefined])

    await make('groups', 'Group', 'developers', { claims: ['dev'] })
    await bind('by-claim', [{ kind: 'Group', name: 'developers' }])
    await me({ ...bob, groups: ['dev'] })
    await next(({ people = {} }) => keyOf('bob') in people)
    await me({ ...bob, groups: ['ops'] })
    await next(({ removed = [] }) => removed.includes(keyOf('bob')))
    await me({ ...bob, groups: ['dev'] })
    await next(({ people = {} }) => keyOf('bob') in people)
    expect((await fleet.call('DELETE', `${org}/users/${bob.email}`)).status).toBe(204)
    await next(({ removed = [] }) => removed.includes(keyOf('bob')))
  })

  it('are told of when they sign out everywhere, and what was made before counts here no more either', async () => {
    await me(bob)
    await bind('bob-runs', [{ kind: 'User', name: bob.email }])
    const { next } = await gateway()
    await next(({ people = {} }) => keyOf('bob') in people)
    const old = await as(bob)
    expect((await fleet.call('POST', '/v1/auth/logout', { everywhere: true }, old)).status).toBe(204)
    const { document } = await next(({ people = {} }) => people[keyOf('bob')]?.signedOut !== undefined)
    expect(Math.abs(document.people![keyOf('bob')]!.signedOut! - Date.now())).toBeLessThan(20_000)
    const { status, body } = await fleet.call('GET', '/v1/auth/me', undefined, old)
    expect([status, body.reason]).toEqual([401, 'token_signed_out'])
    expect(await me(bob, 30)).toBe(200)
  })

  it('come with new keys as soon as somebody signs in by one, and with those that are known when the issuer is away at the start', async () => {
    await me(bob)
    const { agent, next } = await gateway()
    const before = kidOf((await next(({ issuers }) => issuers !== undefined)).document)
    issuer.rotate()
    await me(bob)
    const rotated = await next((document) => kidOf(document) !== undefined)
    expect([kidOf(rotated.document) === before, rotated.isWhole]).toEqual([false, false])
    await issuer.stop()
    agent.disconnect()
    await fleet.restart()
    agent.connect()
    const again = await next(({ people = {} }) => keyOf('ada') in people)
    expect([again.isWhole, kidOf(again.document)]).toEqual([true, kidOf(rotated.document)])
  })

  it('come with a new key when a gateway that was shown it wants it', async () => {
    await me(bob)
    const { agent, next } = await gateway()
    const before = kidOf((await next(({ issuers }) => issuers !== undefined)).document)
    issuer.rotate()
    agent.send({ case: 'issuerKeysWanted', value: create(IssuerKeysWantedSchema, { issuer: issuer.url }) })
    expect(kidOf((await next((document) => kidOf(document) !== undefined)).document)).not.toBe(before)
  })
})
