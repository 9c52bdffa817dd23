import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { AccessFailure } from '@mcpg/proto/gen/delivery'
import { pathRights } from '@mcpg/proto/path-rights'
import { gatewayAccess } from './access.ts'
import { gate } from './gate.ts'
import { signedOffer as offer, signingKey } from './test-offers.ts'

const log = createLog({ level: 'silent', json: true })
const keyOf = (text: string) => createHash('sha256').update(text).digest('base64url')
const text = (name: string) => `mcpg_pat_${name}`

const token = (name: string, more: object = {}) => ({ [keyOf(text(name))]: { id: `tok_${name}`, subject: 'ada', grants: 'g', ...more } })
const grants = { g: [{ on: 'servers' as const }] }
const [ok, stale] = [AccessFailure.UNSPECIFIED, AccessFailure.STALE]

let folder: string
let clock: ReturnType<typeof fakeClock>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpg-access-'))
  clock = fakeClock()
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
})
const open = () => gatewayAccess({ folder, gatewayId: 'gw_1', keys: [signingKey], environment: 'default', clock, log })
type Access = ReturnType<typeof open>
const holds = (access: Access, name: string) => access.holderOf(text(name)) !== null
const failureOf = async (access: Access, ...of: Parameters<typeof offer>) => (await access.offered(offer(...of))).failure

describe('an access document', () => {
  it('is in force at once, and a delta takes away what it removes', async () => {
    const access = open()
    expect(await failureOf(access, 1, { tokens: { ...token('a'), ...token('b') }, grants })).toBe(ok)
    expect([holds(access, 'a'), holds(access, 'b'), holds(access, 'c')]).toEqual([true, true, false])
    const shown = { key: keyOf(text('a')), grants: grants.g, until: Infinity }
    expect(access.holderOf(text('a'))).toEqual({ tokenId: 'tok_a', subject: 'ada', shown })
    const said = access.offered(offer(3, { tokens: token('c'), removed: [keyOf(text('a'))] }, { baseVersion: 1 }))
    expect([holds(access, 'a'), holds(access, 'b'), holds(access, 'c')]).toEqual([false, true, true])
    expect(await said).toMatchObject({ version: 3, failure: ok })
    expect(access.version()).toBe(3)
  })

  it('is never taken back: what is older, or builds on what is not here, is refused', async () => {
    const access = open()
    await access.offered(offer(5, { tokens: token('a'), grants }))
    expect(await failureOf(access, 4, { tokens: token('b'), grants })).toBe(stale)
    expect(await failureOf(access, 5, { tokens: token('b'), grants })).toBe(stale)
    expect(await failureOf(access, 7, { tokens: token('b'), grants }, { baseVersion: 6 })).toBe(AccessFailure.BASE_UNKNOWN)
    expect([holds(access, 'a'), holds(access, 'b'), access.version()]).toEqual([true, false, 5])
  })

  it('is refused with another signature, for another gateway, or altered', async () => {
    const access = open()
    const bad = AccessFailure.BAD_SIGNATURE
    expect(await failureOf(access, 1, { tokens: token('a'), grants }, { gatewayId: 'gw_2' })).toBe(bad)
    const altered = { change: (bytes: Buffer) => Buffer.from(bytes.toString().replace('ada', 'eve')) }
    expect(await failureOf(access, 1, { tokens: token('a'), grants }, altered)).toBe(bad)
    expect((await access.offered({ ...offer(1, { tokens: token('a'), grants }), version: 9n })).failure).toBe(bad)
    expect((await access.offered({ ...offer(1, {}), signingKeyId: new Uint8Array(32) })).failure).toBe(bad)
    expect(holds(access, 'a')).toBe(false)
  })

  it('outlives the program, but not its time, a damaged file or another identity', async () => {
    const first = open()
    await first.offered(offer(2, { tokens: { ...token('a', { expires: clock.now() + 1_000 }), ...token('b') }, grants }))
    await first.offered(offer(3, { removed: [keyOf(text('b'))] }, { baseVersion: 2 }))
    const again = open()
    await again.part.start(() => {})
    expect([holds(again, 'a'), holds(again, 'b'), again.version()]).toEqual([true, false, 3])
    await clock.advance(1_000)
    expect(holds(again, 'a')).toBe(false)
    const other = gatewayAccess({ folder, gatewayId: 'gw_2', keys: [signingKey], environment: 'default', clock, log })
    await other.part.start(() => {})
    expect(other.version()).toBe(0)
    await writeFile(join(folder, 'access.json'), `${'0'.repeat(64)} {}\n`)
    const damaged = open()
    await damaged.part.start(() => {})
    expect(damaged.version()).toBe(0)
  })

  it('that cannot be stored is in force all the same, and says so', async () => {
    await rm(folder, { recursive: true })
    const access = open()
    const { failure, message } = await access.offered(offer(1, { tokens: token('a'), grants }))
    expect([failure, holds(access, 'a')]).toEqual([AccessFailure.STORAGE, true])
    expect(message).toContain('ENOENT')
  })
})

describe('the gate', () => {
  const request = (authorization?: string) => ({ headers: authorization === undefined ? {} : { authorization } })
  const bearer = (name: string) => request(`Bearer ${text(name)}`)
  type Place = {
    endpointAuth?: 'auto' | 'required' | 'open'
    maxAgeMs?: number
    isLoopback?: boolean
    mayBeOpen?: boolean
    silent?: number | null
  }
  async function gateAt({ endpointAuth = 'auto', maxAgeMs, isLoopback = true, mayBeOpen = false, silent = null }: Place = {}) {
    const access = open()
    const environments = { default: { endpointAuth, ...(maxAgeMs !== undefined && { maxAgeMs }) } }
    await access.offered(offer(1, { tokens: token('a'), grants, environments }))
    return gate({ access, newKeys: { arrives: async () => false }, isLoopback, mayBeOpen, lastHeard: () => silent, clock })
  }
  const anybody = { principal: 'anonymous' }

  it('lets anybody in on loopback, and beyond it only where the machine and the environment want it', async () => {
    expect((await gateAt()).admit(request())).toEqual(anybody)
    expect((await gateAt({ endpointAuth: 'required' })).admit(request())).toMatchObject({ status: 401, reason: 'token_required' })
    for (const endpointAuth of ['auto', 'open', 'required'] as const)
      expect((await gateAt({ endpointAuth, isLoopback: false })).admit(request())).toMatchObject({ status: 401 })
    for (const endpointAuth of ['auto', 'open'] as const)
      expect((await gateAt({ endpointAuth, isLoopback: false, mayBeOpen: true })).admit(request())).toEqual(anybody)
    expect((await gateAt({ endpointAuth: 'required', isLoopback: false, mayBeOpen: true })).admit(request())).toMatchObject({ status: 401 })
  })

  it('wants a token that is shown to hold, everywhere, and leaves other bearers alone where nobody is asked', async () => {
    for (const place of [{}, { endpointAuth: 'required' as const }]) {
      const { admit } = await gateAt(place)
      expect(admit(bearer('a'))).toMatchObject({ principal: 'ada by tok_a', subject: 'ada', tokenId: 'tok_a', shown: { grants: grants.g } })
      expect(admit(bearer('b'))).toMatchObject({
        status: 401,
        reason: 'token_refused',
        challenge: expect.stringContaining('invalid_token'),
      })
    }
    expect((await gateAt()).admit(request('Bearer of-something-else'))).toEqual(anybody)
    expect((await gateAt({ endpointAuth: 'required' })).admit(request('Basic YTpi'))).toMatchObject({
      status: 401,
      reason: 'token_required',
    })
  })

  it('goes by what it knew for as long as the environment lets it, and for ever by default', async () => {
    const since = clock.now() - 60_000
    expect((await gateAt({ silent: since })).admit(bearer('a'))).toMatchObject({ tokenId: 'tok_a' })
    expect((await gateAt({ silent: since, maxAgeMs: 60_000 })).admit(bearer('a'))).toMatchObject({ tokenId: 'tok_a' })
    expect((await gateAt({ silent: since, maxAgeMs: 59_999 })).admit(bearer('a'))).toMatchObject({ status: 503, reason: 'access_too_old' })
    expect((await gateAt({ silent: null, maxAgeMs: 1 })).admit(bearer('a'))).toMatchObject({ tokenId: 'tok_a' })
  })
})

describe('rights behind a path', () => {
  const rights = (grant: object, project?: string) => pathRights([{ on: 'servers', ...grant }], 'here', project)

  it('count in their environment and their project only', () => {
    expect([rights({}).all, rights({}, 'web').all]).toEqual([true, true])
    expect([rights({ project: 'web' }).none, rights({ project: 'web' }, 'web').all, rights({ project: 'web' }, 'other').none]).toEqual([
      true,
      true,
      true,
    ])
    expect([rights({ environment: 'here' }).all, rights({ environment: 'there' }).none]).toEqual([true, true])
  })

  it('are for whole servers, or for single tools without what else their server has', () => {
    const server = rights({ names: ['files'] })
    expect([server.server('files'), server.tool('files', 'files__read'), server.touches('other'), server.all]).toEqual([
      true,
      true,
      false,
      false,
    ])
    const tools = rights({ on: 'tools', names: ['files__read'] })
    expect([
      tools.tool('files', 'files__read'),
      tools.tool('files', 'files__write'),
      tools.server('files'),
      tools.touches('files'),
    ]).toEqual([true, false, false, true])
    const every = rights({ on: 'tools' })
    expect([every.all, every.tool('files', 'files__x'), every.server('files')]).toEqual([false, true, false])
  })
})
