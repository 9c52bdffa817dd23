import { afterEach, describe, expect, it } from 'vitest'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@mcpg/core/clock'
import type { ErrorCode } from '@mcpg/proto/errors'
import { errorCodes } from '@mcpg/proto/errors'
import { fakeControlPlane, type FakeControlPlane, type Knobs } from '../../test/fake-control-plane.ts'
import { describeGateway } from '../link/description.ts'
import { ensureIdentity, type EnrollDeps } from './enroll.ts'
import { parseEnrollmentUrl } from './enrollment-url.ts'
import { identityFile, loadIdentity } from './identity-file.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function bench(knobs: Partial<Knobs> = {}) {
  const plane = await fakeControlPlane(knobs)
  cleanups.push(() => plane.stop())
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-enroll-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return { plane, folder, ...enroller(folder) }
}

function enroller(folder: string) {
  const told: string[] = []
  const stopping = new AbortController()
  const run = (url: string | undefined, change: Partial<EnrollDeps> = {}) =>
    ensureIdentity({
      folder,
      url: url === undefined ? undefined : parseEnrollmentUrl(url, { insecurePlaintext: false }),
      instanceUid: undefined,
      uidStem: 'My Host.local',
      reEnroll: false,
      fixPermissions: false,
      description: describeGateway({ endpoints: [] }),
      endpointNames: null,
      clock: systemClock,
      timers: { reconnectBase: 5, reconnectMax: 20 },
      tell: (line) => told.push(line),
      stopping: stopping.signal,
      ...change,
    })
  return { run, told, stopping }
}

const posts = (plane: FakeControlPlane) =>
  plane.requests.filter((request) => request.method === 'POST').map((request) => JSON.parse(request.body) as Record<string, string>)

describe('enrolling', () => {
  it('describes first, redeems once, and keeps what it got for itself', async () => {
    const { plane, folder, run } = await bench()
    const identity = await run(`${plane.enrollmentUrl()}/`)
    expect(identity).toMatchObject({ gatewayId: plane.gatewayId, org: 'default', credential: { kind: 'bearer', sequence: 1 } })
    expect(identity?.instanceUid).toMatch(/^my-host-local-[0-9a-f]{6}$/)
    expect(plane.requests.map((request) => request.method)).toEqual(['GET', 'POST'])
    expect((await stat(identityFile(folder))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['identity.json'])
    expect(await readFile(identityFile(folder), 'utf8')).not.toContain(plane.token())
  })

  it('gets the same gateway when the answer is lost, with the key it had before', async () => {
    const { plane, run, told } = await bench({ loseEnrollAnswers: 2 })
    const identity = await run(plane.enrollmentUrl())
    expect(identity?.gatewayId).toBe(plane.gatewayId)
    const sent = posts(plane)
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map((one) => one['idempotencyKey'])).size).toBe(1)
    expect(new Set(sent.map((one) => one['sealingPublicKey'])).size).toBe(1)
    expect(told[0]).toContain('closed the connection')
  })

  it('asks again as the same installation after it was killed before the answer came', async () => {
    const { plane, folder } = await bench({ loseEnrollAnswers: 1000 })
    const url = plane.enrollmentUrl()
    const first = enroller(folder)
    const lost = first.run(url, { tell: () => first.stopping.abort() })
    expect(await lost).toBeNull()
    plane.knobs.loseEnrollAnswers = 0
    const identity = await enroller(folder).run(url)
    expect(identity?.gatewayId).toBe(plane.gatewayId)
    expect(new Set(posts(plane).map((one) => one['idempotencyKey'])).size).toBe(1)
  })

  it('has its keys on disk before the first byte is sent', async () => {
    const { plane, folder, run, stopping } = await bench()
    await plane.stop()
    await run(plane.enrollmentUrl(), { tell: () => stopping.abort() })
    expect(await readdir(folder)).toEqual(['attempt.json'])
    expect(plane.requests).toEqual([])
  })

  it.each<[string, { code: ErrorCode; reason: string }, RegExp]>([
    ['busy', { code: 'rate_limited', reason: 'rate_limited' }, /busy/],
    ['without its database', { code: 'unavailable', reason: 'storage_unavailable' }, /not ready/],
  ])('waits for a control plane that is %s and says so', async (_, refusal, said) => {
    const { plane, run, told } = await bench({
      enrollRefusals: [
        { ...refusal, message: 'later' },
        { ...refusal, message: 'later' },
      ],
    })
    expect(await run(plane.enrollmentUrl())).not.toBeNull()
    expect(told).toHaveLength(3)
    expect(told[2]).toContain(`Enrolled as gateway`)
    expect(told[0]).toMatch(said)
  })

  it('waits for a control plane that is not there, and never says the token', async () => {
    const { plane, run, told, stopping } = await bench()
    const url = plane.enrollmentUrl()
    await plane.stop()
    expect(await run(url, { tell: (line) => told.push(line) > 2 && stopping.abort() })).toBeNull()
    expect(told[0]).toMatch(
      /^Waiting: the control plane at http:\/\/127\.0\.0\.1:\d+ does not answer \(connection refused\); trying again in/,
    )
    expect(told.join()).not.toContain(plane.token())
  })

  it.each<[ErrorCode, string, number]>([
    ['not_found', 'token_unknown', 5],
    ['gone', 'token_expired', 6],
    ['gone', 'token_revoked', 6],
    ['conflict', 'token_already_used', 6],
    ['forbidden', 'source_not_allowed', 3],
    ['forbidden', 'instance_uid_mismatch', 3],
  ])('ends with %s %s and a hint', async (code, reason, exit) => {
    const { plane, run } = await bench({ enrollRefusals: [{ code, reason, message: 'No.' }] })
    const error = await run(plane.enrollmentUrl()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, reason, hint: expect.stringMatching(/\w/) })
    expect(errorCodes[code].exit).toBe(exit)
  })

  it('chooses another uid when a generated one is taken, and gives up when it was chosen', async () => {
    const { plane, run } = await bench({ takenUids: 2 })
    await run(plane.enrollmentUrl())
    expect(new Set(posts(plane).map((one) => one['instanceUid'])).size).toBe(3)
    const other = await bench({ takenUids: 1 })
    await expect(other.run(other.plane.enrollmentUrl(), { instanceUid: 'chosen' })).rejects.toMatchObject({
      code: 'conflict',
      reason: 'instance_uid_in_use',
    })
  })

  it('says that something else answers on the port', async () => {
    const { plane, run } = await bench()
    const url = plane.enrollmentUrl()
    await expect(run(url.replace(plane.http, plane.grpc))).rejects.toMatchObject({ code: 'invalid', reason: 'not_a_control_plane' })
    const other = createServer((_, response) => response.writeHead(404).end('<html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => other.close(resolve)))
    const { port } = other.address() as AddressInfo
    await expect(run(url.replace(plane.http, `http://127.0.0.1:${port}`))).rejects.toMatchObject({ reason: 'not_a_control_plane' })
  })
})

describe('restarting', () => {
  it('uses the cached identity with the same URL and with none, and asks nobody', async () => {
    const { plane, run } = await bench()
    const url = plane.enrollmentUrl()
    const first = await run(url)
    const asked = plane.requests.length
    expect(await run(url)).toEqual(first)
    expect(await run(undefined)).toEqual(first)
    expect(await run(`${url}#pin=sha256:${'A'.repeat(43)}`)).toEqual(first)
    expect(await run(url, { reEnroll: true })).toEqual(first)
    expect(plane.requests).toHaveLength(asked)
  })

  it('refuses another URL, naming the gateway', async () => {
    const { plane, run } = await bench()
    const first = await run(plane.enrollmentUrl())
    const error = await run(plane.enrollmentUrl()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'conflict',
      reason: 'already_enrolled',
      message: expect.stringContaining(first?.name ?? '?'),
      hint: expect.stringContaining('--re-enroll'),
    })
  })

  it('becomes a new installation with --re-enroll, and keeps the old identity until that worked', async () => {
    const { plane, folder, run } = await bench()
    const first = await run(plane.enrollmentUrl())
    plane.knobs.enrollRefusals.push({ code: 'gone', reason: 'token_expired', message: 'Too late.' })
    await expect(run(plane.enrollmentUrl(), { reEnroll: true })).rejects.toMatchObject({ reason: 'token_expired' })
    expect(await loadIdentity(folder)).toEqual(first)
    const second = await run(plane.enrollmentUrl(), { reEnroll: true })
    expect(second?.instanceUid).not.toBe(first?.instanceUid)
    expect(second?.identityKey).not.toBe(first?.identityKey)
  })

  it('says where to get a URL when there is neither URL nor identity', async () => {
    const { run } = await bench()
    await expect(run(undefined)).rejects.toMatchObject({
      code: 'invalid',
      reason: 'not_enrolled',
      hint: expect.stringContaining('enroll create'),
    })
  })

  it.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['zeroed', (text) => '\0'.repeat(text.length)],
    ['truncated', (text) => text.slice(0, text.length / 2)],
    ['changed in one place', (text) => text.replace(/"gatewayId": "gw_./, '"gatewayId": "gw_z')],
    ['of another form', () => '{"v":1}'],
  ])('never enrolls again by itself over credentials that are %s', async (_, damage) => {
    const { plane, folder, run } = await bench()
    const url = plane.enrollmentUrl()
    await run(url)
    const asked = plane.requests.length
    await writeFile(identityFile(folder), damage(await readFile(identityFile(folder), 'utf8')))
    const error = await run(url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unauthenticated', reason: 'credentials_damaged', hint: expect.stringContaining('--re-enroll') })
    expect(plane.requests).toHaveLength(asked)
    expect(await run(plane.enrollmentUrl(), { reEnroll: true })).not.toBeNull()
  })

  it('refuses credentials that others can read, unless it may mend that', async () => {
    const { plane, folder, run } = await bench()
    await run(plane.enrollmentUrl())
    await chmod(identityFile(folder), 0o644)
    await expect(run(undefined)).rejects.toMatchObject({
      code: 'unauthenticated',
      reason: 'credentials_readable_by_others',
      hint: expect.stringContaining('--fix-permissions'),
    })
    expect(await run(undefined, { fixPermissions: true })).not.toBeNull()
    expect((await stat(identityFile(folder))).mode & 0o777).toBe(0o600)
  })
})
