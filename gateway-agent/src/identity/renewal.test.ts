import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { testAuthority, type TestAuthority } from '@mcpg/core/test-authority'
import { linkedAgent } from '../../test/agent-bench.ts'
import { spkiOf, type FakeControlPlane, type Knobs } from '../../test/fake-control-plane.ts'
import { until } from '../../test/until.ts'
import { loadIdentity, saveIdentity, type Identity } from './identity-file.ts'
import { nextKeys } from './next-keys.ts'

let authority: TestAuthority
beforeAll(async () => {
  authority = await testAuthority()
})

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function agent(knobs: Partial<Knobs> = {}, more: Partial<Parameters<typeof linkedAgent>[0]> = {}) {
  const bench = await linkedAgent({ knobs, tls: { authority }, ...more })
  cleanups.push(bench.stop)
  return bench
}

const serialOf = ({ credential }: Identity) =>
  credential.kind === 'x509'
    ? new X509Certificate(Buffer.from(credential.certificates[0] ?? '', 'base64')).serialNumber.toLowerCase()
    : 'none'

/** As if the renewal were due now. */
const due = async (_: FakeControlPlane, folder: string) => change(folder, { renewAfter: new Date(Date.now() - 1000).toISOString() })
/** As if the agent had been away until after its certificate's end. */
const expired = async (_: FakeControlPlane, folder: string) => change(folder, { notAfter: new Date(Date.now() - 1000).toISOString() })

async function change(folder: string, dates: { renewAfter?: string; notAfter?: string }): Promise<void> {
  const me = (await loadIdentity(folder))!
  if (me.credential.kind === 'x509') await saveIdentity(folder, { ...me, credential: { ...me.credential, ...dates } })
}

const keysOf = (requests: { csr: Uint8Array }[]) => new Set(requests.map(({ csr }) => spkiOf(csr).toString('hex')))

const numbers = (plane: FakeControlPlane) => plane.sessions.filter(({ hello }) => hello).length

describe('a stream over TLS', () => {
  it('is opened with the certificate of the enrollment', async () => {
    const { plane, identity } = await agent()
    await plane.session()
    expect(plane.serialsOfStreams).toEqual([serialOf(identity)])
  })

  it('is not opened to somebody with a certificate of another authority', async () => {
    const stranger = await testAuthority('stranger')
    const { plane, link } = await agent({}, { tls: { authority, leaf: await authority.server(['127.0.0.1']) }, before: distrust(stranger) })
    await until('it waits', () => link.state().phase === 'waiting')
    expect(link.state()).toMatchObject({
      message: expect.stringMatching(/certificate_untrusted.*was not issued by the authority/) as string,
    })
    expect(plane.attempts()).toBe(0)
  })
})

/** The identity on disk then trusts another authority only. */
const distrust = (stranger: TestAuthority) => async (_: FakeControlPlane, folder: string) => {
  const me = (await loadIdentity(folder))!
  await saveIdentity(folder, { ...me, trustBundle: [Buffer.from(stranger.der).toString('base64')] })
}

describe('a renewal', () => {
  it('comes at its time, with a new key, and the next stream has the new certificate', async () => {
    const { plane, folder, identity } = await agent({}, { before: due })
    await until('the renewed certificate', async () => (await loadIdentity(folder))!.credential.sequence === 2)
    await until('a stream with the new certificate', async () => plane.serialsOfStreams.at(-1) === serialOf((await loadIdentity(folder))!))
    const renewed = (await loadIdentity(folder))!
    expect(renewed.credential.sequence).toBe(identity.credential.sequence + 1)
    expect(renewed.identityKey).not.toBe(identity.identityKey)
    expect(renewed.sealingKey).toBe(identity.sealingKey)
    await expect(stat(join(folder, 'next.json'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(plane.renewals).toHaveLength(1)
  })

  it('that is not answered is asked for again, by the same key, until it is', async () => {
    const { plane, folder } = await agent({ loseRenewAnswers: 3 }, { before: due })
    await until('the renewed certificate', async () => (await loadIdentity(folder))!.credential.sequence === 2)
    expect(plane.renewals).toHaveLength(4)
    expect(keysOf(plane.renewals).size).toBe(1)
    expect(new Set(plane.renewals.map(({ idempotencyKey }) => Buffer.from(idempotencyKey).toString('hex'))).size).toBe(1)
  })

  it('that a crash interrupted goes on with the keys that were on disk', async () => {
    let interrupted = ''
    const { plane, folder } = await agent(
      {},
      {
        before: async (_, path) => {
          interrupted = (await nextKeys(path, (await loadIdentity(path))!)).identityKey
          await due(_, path)
        },
      },
    )
    await until('the renewed certificate', () => plane.renewals.length > 0)
    await until('it is on disk', async () => (await loadIdentity(folder))!.identityKey === interrupted)
  })

  it('makes new keys when those on disk have served, or are damaged', async () => {
    const { folder, identity } = await agent()
    const first = await nextKeys(folder, identity)
    expect(await nextKeys(folder, identity)).toEqual(first)
    const later = { ...identity, credential: { ...identity.credential, sequence: 7 } }
    expect((await nextKeys(folder, later)).identityKey).not.toBe(first.identityKey)
    await writeFile(join(folder, 'next.json'), '{')
    expect((await nextKeys(folder, later)).replaces).toBe(7)
    await rm(join(folder, 'next.json'))
  })
})

describe('a certificate that expired while the agent was away', () => {
  it('is recovered by its key before the stream is opened', async () => {
    const { plane, folder, identity } = await agent({ certificateLifeMs: 86_400_000 }, { before: expiredThere })
    await plane.session()
    const recovered = (await loadIdentity(folder))!
    expect(plane.recoveries).toHaveLength(1)
    expect(recovered.identityKey).not.toBe(identity.identityKey)
    expect(plane.serialsOfStreams).toEqual([serialOf(recovered)])
  })

  it('is recovered by the same new key when the answer was lost', async () => {
    const { plane } = await agent({ loseRenewAnswers: 2 }, { before: expiredThere })
    await plane.session()
    expect(plane.recoveries).toHaveLength(3)
    expect(keysOf(plane.recoveries).size).toBe(1)
  })

  it('is not recovered when only the clock of this machine says so', async () => {
    const { plane, identity } = await agent({ skewMs: -3_600_000 }, { before: expired })
    await plane.session()
    expect(plane.recoveries).toEqual([])
    expect(plane.serialsOfStreams).toEqual([serialOf(identity)])
  })

  it.each(['recovery_window_exceeded', 'recovery_limit_exceeded', 'credential_revoked', 'credential_clone_suspected'])(
    'says why it is not recovered (%s) and what to do',
    async (reason) => {
      const { plane, link } = await agent({ recoveryRefusal: reason }, { before: expiredThere })
      await until('it waits', () => link.state().phase === 'waiting')
      expect(link.state()).toMatchObject({ message: `${reason}: No: ${reason}. (do this)` })
      expect(numbers(plane)).toBe(0)
    },
  )
})

/** Expired by both clocks. */
const expiredThere = async (plane: FakeControlPlane, folder: string) => {
  await expired(plane, folder)
  plane.expireAll()
}
