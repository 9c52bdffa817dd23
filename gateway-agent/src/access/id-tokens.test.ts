import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { accessPersonText, type AccessDocument, type AccessIssuer } from '@mcpg/proto/access-document'
import { gatewayAccess } from './access.ts'
import { gate } from './gate.ts'
import { newKeys } from './new-keys.ts'
import { signedOffer, signingKey } from './test-offers.ts'
import { createOutbox } from '../link/outbox.ts'

const url = 'https://issuer.example'
const keyOf = (subject: string) => createHash('sha256').update(accessPersonText(url, subject)).digest('base64url')
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const grants = { all: [{ on: 'servers' as const }], both: [{ on: 'servers' as const, names: ['a', 'b'] }] }
const onlyA = { one: [{ on: 'servers' as const, names: ['a'] }] }

function keyPair(kid: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { kid, privateKey, jwk: { ...(publicKey.export({ format: 'jwk' }) as Record<string, string>), kid, alg: 'EdDSA' } }
}
const first = keyPair('first')

async function entrance({
  endpointAuth = 'required',
  isLoopback = false,
}: { endpointAuth?: 'auto' | 'required'; isLoopback?: boolean } = {}) {
  const clock = fakeClock()
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-access-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const log = createLog({ level: 'silent', json: true })
  const access = gatewayAccess({ folder, gatewayId: 'gw_1', keys: [signingKey], environment: 'default', clock, log })
  const issuers: Record<string, AccessIssuer> = { [url]: { audiences: ['mcpg', 'mcpg-ctl'], keys: [first.jwk] } }
  const people = {
    [keyOf('ada')]: { subject: 'ada@example.com', grants: 'all' },
    [keyOf('bob')]: { subject: 'bob@example.com', grants: 'both' },
  }
  await offer({ issuers, people, grants, environments: { default: { endpointAuth } } })
  const wanted = newKeys({ access, clock })
  const { admit } = gate({ access, newKeys: wanted, isLoopback, mayBeOpen: false, lastHeard: () => null, clock })
  return { clock, access, offer, wanted, admit: admitting, token, verdict }

  async function offer(document: Partial<AccessDocument>, { isDelta = false } = {}) {
    const version = access.version()
    await access.offered(signedOffer(version + 1, document, { baseVersion: isDelta ? version : 0 }))
  }

  function token(claims: Record<string, unknown> = {}, { kid, privateKey }: { kid: string; privateKey: KeyObject } = first): string {
    const iat = Math.floor(clock.now() / 1000)
    const all = { iss: url, aud: 'mcpg-ctl', sub: 'ada', iat, exp: iat + 3600, ...claims }
    const signed = `${encoded({ alg: 'EdDSA', kid })}.${encoded(all)}`
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
  }

  async function admitting(text: string) {
    return admit({ headers: { authorization: `Bearer ${text}` } })
  }

  async function verdict(text: string): Promise<string> {
    const found = await admitting(text)
    return 'status' in found ? `${found.status} ${found.reason}` : (found.subject ?? found.principal)
  }
}

describe('an id_token at the entrance', () => {
  it('lets in whom the document knows by issuer and subject, with their rights, and stays the same person when it is refreshed', async () => {
    const { admit, token, clock } = await entrance()
    const text = token({ email: 'eve@example.com' })
    const admitted = await admit(text)
    const exp = Math.floor(clock.now() / 1000) + 3600
    const shown = { key: keyOf('ada'), grants: grants.all, until: (exp + 60) * 1000, made: { issuer: url, kid: 'first', iat: exp - 3600 } }
    expect(admitted).toEqual({ principal: `person ${keyOf('ada')}`, subject: 'ada@example.com', grants: grants.all, shown })
    await clock.advance(1_800_000)
    expect(await admit(token())).toMatchObject({ principal: `person ${keyOf('ada')}` })
    expect(await admit(text)).toEqual(admitted)
  })

  it('is refused by the rules of the control plane, which are those of the standard', async () => {
    const { verdict, token, clock } = await entrance()
    const now = Math.floor(clock.now() / 1000)
    expect(await verdict(token({ iss: `${url}/` }))).toBe('401 token_other_issuer')
    expect(await verdict(token({ iss: 'constructor' }))).toBe('401 token_other_issuer')
    expect(await verdict(token({ aud: 'elsewhere' }))).toBe('401 token_other_audience')
    expect(await verdict(token({ aud: ['mcpg', 'elsewhere'] }))).toBe('401 token_other_party')
    expect(await verdict(token({ aud: ['mcpg', 'elsewhere'], azp: 'mcpg' }))).toBe('ada@example.com')
    expect(await verdict(token({ azp: 'elsewhere' }))).toBe('401 token_other_party')
    expect(await verdict(token({ sub: undefined }))).toBe('401 token_incomplete')
    expect(await verdict(token({ exp: now - 59 }))).toBe('ada@example.com')
    expect(await verdict(token({ exp: now - 61 }))).toBe('401 token_expired')
    expect(await verdict(token({ iat: now + 61 }))).toBe('401 token_not_yet_valid')
    expect(await verdict(token({}, keyPair('made-up')))).toBe('401 token_signature')
    expect(await verdict(token({}, keyPair('first')))).toBe('401 token_signature')
    const [, payload] = token().split('.')
    expect(await verdict(`${encoded({ alg: 'none' })}.${payload}.`)).toBe('401 token_malformed')
    expect(await verdict('a.b.c')).toBe('401 token_refused')
    expect(await verdict(token({ sub: 'nobody' }))).toBe('403 nothing_to_use')
  })

  it('by a key that the document lacks waits until the control plane has brought it', async () => {
    const { verdict, token, offer, wanted, clock } = await entrance()
    const [second, third] = [keyPair('second'), keyPair('third')]
    const outbox = createOutbox()
    const frames = outbox.frames()[Symbol.asyncIterator]()
    // Nobody to ask.
    expect(await verdict(token({}, second))).toBe('401 token_signature')
    const talk = wanted.talk(outbox)
    const [one, other] = [verdict(token({}, second)), verdict(token({ sub: 'bob' }, second))]
    const { value } = await frames.next()
    expect(value.frame).toMatchObject({ case: 'issuerKeysWanted', value: { issuer: url } })
    const issuers = (...keys: { jwk: Record<string, string> }[]) => ({
      issuers: { [url]: { audiences: ['mcpg', 'mcpg-ctl'], keys: keys.map(({ jwk }) => jwk) } },
    })
    await offer(issuers(first, second), { isDelta: true })
    expect([await one, await other]).toEqual(['ada@example.com', 'bob@example.com'])

    // What was asked a moment ago may still bring it; after that nothing is asked for a while.
    let madeUp: string | undefined
    void verdict(token({}, third)).then((found) => (madeUp = found))
    while (madeUp === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(100)
    }
    expect(madeUp).toBe('401 token_signature')
    expect(await verdict(token({}, third))).toBe('401 token_signature')
    await clock.advance(5_000)
    const again = verdict(token({}, third))
    expect((await frames.next()).value.frame.case).toBe('issuerKeysWanted')
    await offer(issuers(third), { isDelta: true })
    expect(await again).toBe('ada@example.com')
    talk.close()
    outbox.end()
    expect((await frames.next()).done).toBe(true)
  })

  it('says in the words of RFC 6750 what is wrong with it', async () => {
    const { admit, token } = await entrance()
    const challenge = async (claims: object) => ((await admit(token({ ...claims }))) as { challenge: string }).challenge
    expect(await challenge({ exp: 1 })).toBe(
      'Bearer realm="mcpg", error="invalid_token", error_description="The token expired: your sign-in is over."',
    )
    expect(await challenge({ aud: 'x' })).toContain('error="invalid_token", error_description="The token was made for another program')
    expect(await challenge({ sub: 'nobody' })).toContain('error="insufficient_scope"')
    expect(await challenge({ nbf: 'a "quoted" \\ claim' })).toMatch(
      /^Bearer realm="mcpg", error="invalid_token", error_description="[^"\\]*"$/,
    )
  })

  it('counts until its end, and no longer', async () => {
    const { verdict, access, admit, token, clock } = await entrance()
    const text = token()
    const { shown } = (await admit(text)) as Extract<Awaited<ReturnType<typeof admit>>, { shown?: unknown }>
    await clock.advance(3_659_999)
    expect([await verdict(text), access.stillHolds(shown!)]).toEqual(['ada@example.com', true])
    await clock.advance(1)
    expect([await verdict(text), access.stillHolds(shown!)]).toEqual(['401 token_expired', false])
  })

  it('counts no more once its person is gone, has lost a right, or signed out everywhere after it was made', async () => {
    const { verdict, access, admit, token, offer, clock } = await entrance()
    const shownBy = async (text: string) => ((await admit(text)) as { shown: Parameters<typeof access.stillHolds>[0] }).shown
    const [ada, bob] = [token(), token({ sub: 'bob' })]
    const [ofAda, ofBob] = [await shownBy(ada), await shownBy(bob)]

    // Another list with the same rights and more takes nothing away.
    const more = [...grants.both, { on: 'tools' as const }]
    await offer({ people: { [keyOf('bob')]: { subject: 'bob@example.com', grants: 'more' } }, grants: { more } }, { isDelta: true })
    expect(access.stillHolds(ofBob)).toBe(true)
    await offer({ people: { [keyOf('bob')]: { subject: 'bob@example.com', grants: 'one' } }, grants: onlyA }, { isDelta: true })
    expect([access.stillHolds(ofBob), await admit(bob)]).toMatchObject([false, { shown: { grants: onlyA.one } }])

    await clock.advance(10_000)
    const person = { subject: 'ada@example.com', grants: 'all', signedOut: clock.now() }
    await offer({ people: { [keyOf('ada')]: person } }, { isDelta: true })
    expect([access.stillHolds(ofAda), await verdict(ada), await verdict(token())]).toEqual([
      false,
      '401 token_signed_out',
      '401 token_signed_out',
    ])
    await clock.advance(1_000)
    expect(await verdict(token())).toBe('ada@example.com')
    const again = await shownBy(token())
    await offer({ removed: [keyOf('ada')] }, { isDelta: true })
    expect([access.stillHolds(again), await verdict(token())]).toEqual([false, '403 nothing_to_use'])
  })

  it('is verified by the keys that came last, also when it was verified by those before', async () => {
    const { verdict, token, offer, admit, access } = await entrance()
    const second = keyPair('second')
    const [old, fresh] = [token(), token({}, second)]
    expect([await verdict(old), await verdict(fresh)]).toEqual(['ada@example.com', '401 token_signature'])
    const { shown } = (await admit(old)) as { shown: Parameters<typeof access.stillHolds>[0] }
    await offer({ issuers: { [url]: { audiences: ['mcpg-ctl'], keys: [first.jwk, second.jwk] } } }, { isDelta: true })
    expect([await verdict(old), await verdict(fresh), access.stillHolds(shown)]).toEqual(['ada@example.com', 'ada@example.com', true])
    await offer({ issuers: { [url]: { audiences: ['mcpg-ctl'], keys: [second.jwk] } } }, { isDelta: true })
    expect([await verdict(old), await verdict(fresh), access.stillHolds(shown)]).toEqual(['401 token_signature', 'ada@example.com', false])
    await offer({ issuers: {} }, { isDelta: true })
    expect(await verdict(fresh)).toBe('401 token_refused')
  })

  it('must hold on an open endpoint too, where those of other issuers mean nothing', async () => {
    const { verdict, token } = await entrance({ endpointAuth: 'auto', isLoopback: true })
    expect(await verdict(token())).toBe('ada@example.com')
    expect(await verdict(token({ exp: 1 }))).toBe('401 token_expired')
    expect(await verdict(token({ iss: 'https://other.example' }))).toBe('anonymous')
  })
})
