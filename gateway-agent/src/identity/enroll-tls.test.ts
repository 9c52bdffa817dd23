import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@mcpg/core/clock'
import { testAuthority, type TestAuthority } from '@mcpg/core/test-authority'
import { fakeControlPlane, type FakeTls, type Knobs } from '../../test/fake-control-plane.ts'
import { describeGateway } from '../link/description.ts'
import { ensureIdentity, type EnrollDeps } from './enroll.ts'
import { parseEnrollmentUrl } from './enrollment-url.ts'
import { caFile } from './identity-file.ts'

let authority: TestAuthority
let stranger: TestAuthority
beforeAll(async () => {
  authority = await testAuthority()
  stranger = await testAuthority('stranger')
})

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function bench(knobs: Partial<Knobs> = {}, tls: Partial<FakeTls> = {}) {
  const plane = await fakeControlPlane(knobs, { authority, ...tls })
  cleanups.push(() => plane.stop())
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-enroll-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  const told: string[] = []
  const run = (url: string, change: Partial<EnrollDeps> = {}) =>
    ensureIdentity({
      folder,
      url: parseEnrollmentUrl(url, { insecurePlaintext: false }),
      instanceUid: undefined,
      uidStem: 'edge',
      reEnroll: false,
      fixPermissions: false,
      description: describeGateway({ endpoints: [] }),
      endpointNames: null,
      clock: systemClock,
      timers: { reconnectBase: 5, reconnectMax: 20 },
      tell: (line) => told.push(line),
      stopping: new AbortController().signal,
      ...change,
    })
  return { plane, folder, run, told }
}

const heard = ({ requests }: { requests: { method: string; path: string }[] }) => requests.map(({ method, path }) => `${method} ${path}`)

describe('enrolling over TLS', () => {
  it('looks at the authority before the token travels, and keeps a certificate for its own key', async () => {
    const { plane, folder, run } = await bench()
    const identity = await run(plane.enrollmentUrl())
    expect(heard(plane)).toEqual(['GET /v1/ca-cert.pem', `GET /enroll/${plane.token()}`, `POST /enroll/${plane.token()}`])
    const { credential } = identity!
    if (credential.kind !== 'x509') throw new Error(`a ${credential.kind}`)
    const leaf = new X509Certificate(Buffer.from(credential.certificates[0]!, 'base64'))
    expect(leaf.checkPrivateKey(createPrivateKey(identity!.identityKey))).toBe(true)
    expect(Date.parse(credential.renewAfter)).toBeLessThan(Date.parse(credential.notAfter))
    expect((await readdir(folder)).sort()).toEqual(['ca.pem', 'cert.pem', 'identity.json'])
    expect(await readFile(caFile(folder), 'utf8')).toBe(authority.pem)
    for (const file of await readdir(folder)) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  })

  it('makes the copies of its certificates right at the next start, and takes nothing from them', async () => {
    const { plane, folder, run } = await bench()
    const url = plane.enrollmentUrl()
    const identity = await run(url)
    await writeFile(caFile(folder), stranger.pem)
    await rm(join(folder, 'cert.pem'))
    expect(await run(url)).toEqual(identity)
    expect(await readFile(caFile(folder), 'utf8')).toBe(authority.pem)
    expect((await readdir(folder)).sort()).toEqual(['ca.pem', 'cert.pem', 'identity.json'])
  })

  it('asks for a certificate of its endpoint with the key that it keeps', async () => {
    const { plane, run } = await bench()
    const identity = await run(plane.enrollmentUrl(), { endpointNames: ['edge.example.com', '10.0.0.7'] })
    const leaf = new X509Certificate(Buffer.from(identity!.endpoint!.certificates[0]!, 'base64'))
    expect(leaf.checkPrivateKey(createPrivateKey(identity!.endpoint!.key))).toBe(true)
    expect(identity!.endpoint!.key).not.toBe(identity!.identityKey)
  })

  it('refuses a wrong pin, naming both, before a request with the token is made', async () => {
    const { plane, folder, run } = await bench()
    const url = plane.enrollmentUrl().replace(authority.pin, stranger.pin)
    const error = await run(url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unauthenticated', reason: 'pin_mismatch' })
    expect((error as Error).message).toContain(authority.pin)
    expect((error as Error).message).toContain(stranger.pin)
    expect(heard(plane)).toEqual(['GET /v1/ca-cert.pem'])
    expect(JSON.stringify(error)).not.toContain(plane.token())
    expect(await readdir(folder)).toEqual(['attempt.json'])
  })

  it('refuses somebody who shows the right authority and has no certificate of it', async () => {
    const leaf = await stranger.server(['127.0.0.1'])
    const { plane, run } = await bench({}, { leaf })
    await expect(run(plane.enrollmentUrl())).rejects.toMatchObject({ code: 'unauthenticated', reason: 'certificate_untrusted' })
    expect(heard(plane)).toEqual(['GET /v1/ca-cert.pem'])
  })

  it('has its own words for a URL whose fragment was lost, and sends nothing', async () => {
    const { plane, run } = await bench()
    const [url = ''] = plane.enrollmentUrl().split('#')
    await expect(run(url)).rejects.toMatchObject({
      code: 'invalid',
      reason: 'pin_lost',
      message: expect.stringMatching(/probably lost/) as string,
      hint: expect.stringMatching(/single quotes.*enroll create/) as string,
    })
    expect(heard(plane)).toEqual([])
  })
})
