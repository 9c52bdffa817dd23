import { createServer, type Server } from 'node:https'
import { createServer as createPlainServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { certificatesOf, parsePins, pinOf } from './pins.ts'
import { testAuthority, type TestAuthority } from './test-authority.ts'
import { explainTls, rootsByPin } from './tls-trust.ts'

let authority: TestAuthority
let stranger: TestAuthority
beforeAll(async () => {
  authority = await testAuthority()
  stranger = await testAuthority('stranger')
})

const advice = { carrier: 'the URL', again: 'get it again: mcpg-ctl enroll create' }
const never = new AbortController().signal

/** A listener with a leaf of the authority; `pem` is what it says its roots are, `clock` what it says the time is. */
async function listener({ names = ['127.0.0.1'], dates = {}, pem = authority.pem, clock = () => Date.now() } = {}) {
  const asked: string[] = []
  const server: Server = createServer(await authority.server(names, dates), (request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('date', new Date(clock()).toUTCString())
    response.end(request.url === '/v1/ca-cert.pem' ? pem : 'ok')
  })
  return { origin: `https://127.0.0.1:${await listen(server)}`, asked }
}

async function listen(server: Server | ReturnType<typeof createPlainServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** The error of a verified connection. */
async function failed(origin: string, ca: string[] | undefined): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(origin).port), ...(ca && { ca }) })
  const [error] = (await once(socket, 'error').finally(() => socket.destroy())) as [unknown]
  return error
}

describe('pins', () => {
  it('are those of the key, so a root that is made anew for it keeps its pin', () => {
    expect(pinOf(new X509Certificate(authority.pem))).toBe(authority.pin)
    expect(authority.pin).toMatch(/^sha256:[\w-]{43}$/)
    expect(authority.pin).not.toBe(stranger.pin)
  })

  it.each([
    ['', []],
    ['#', []],
    [`#pin=sha256:${'a'.repeat(43)}`, [`sha256:${'a'.repeat(43)}`]],
    [`#pin=sha256:${'a'.repeat(43)}=,sha256:${'b'.repeat(43)}`, [`sha256:${'a'.repeat(43)}`, `sha256:${'b'.repeat(43)}`]],
    [`#pin=sha256:${'a'.repeat(42)}`, null],
    [`#pin=sha1:${'a'.repeat(43)}`, null],
    [`#pin=sha256:${'a'.repeat(43)},`, null],
    ['#pin=', null],
    ['#top', null],
  ])('are read from %j', (fragment, pins) => {
    expect(parsePins(fragment)).toEqual(pins)
  })

  it('leaves out of a PEM what is no certificate', () => {
    const text = `x\n${authority.pem}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${stranger.pem}`
    expect(certificatesOf(text).map(pinOf)).toEqual([authority.pin, stranger.pin])
  })
})

describe('the roots behind a pin', () => {
  it('are those with the pin and no others that lie beside them', async () => {
    const { origin } = await listener({ pem: `${stranger.pem}${authority.pem}` })
    expect(await rootsByPin(origin, [authority.pin], advice, never)).toEqual({ roots: [authority.pem] })
    expect(await rootsByPin(origin, [`sha256:${'A'.repeat(43)}`, stranger.pin], advice, never)).toEqual({ roots: [stranger.pem] })
  })

  it('are refused when none has it, and both pins are named', async () => {
    const { origin } = await listener()
    const found = await rootsByPin(origin, [stranger.pin], advice, never)
    expect(found).toMatchObject({ problem: { reason: 'pin_mismatch', hint: expect.stringContaining('enroll create') as string } })
    expect('problem' in found && found.problem.message).toContain(authority.pin)
    expect('problem' in found && found.problem.message).toContain(stranger.pin)
  })

  it('are refused when the answer holds none', async () => {
    const { origin } = await listener({ pem: 'nothing' })
    expect(await rootsByPin(origin, [authority.pin], advice, never)).toMatchObject({ problem: { reason: 'pin_mismatch' } })
  })
})

describe('a connection that fails', () => {
  it('without a pin says that it was probably lost, how to quote and where to get it', async () => {
    const { origin } = await listener()
    const problem = await explainTls(await failed(origin, undefined), { origin, hasPin: false, advice })
    expect(problem).toMatchObject({ reason: 'pin_lost' })
    expect(problem?.message).toMatch(/#pin=sha256:.*lost/)
    expect(problem?.hint).toMatch(/single quotes.*enroll create/)
  })

  it('with a pin says that the certificate is of somebody else', async () => {
    const { origin } = await listener()
    const problem = await explainTls(await failed(origin, [stranger.pem]), { origin, hasPin: true, advice })
    expect(problem).toMatchObject({ reason: 'certificate_untrusted' })
  })

  it('by a name says for which names it would have been right', async () => {
    const { origin } = await listener({ names: ['cp.example.com', '10.9.8.7'] })
    const problem = await explainTls(await failed(origin, [authority.pem]), { origin, hasPin: true, advice })
    expect(problem).toMatchObject({ reason: 'certificate_name_mismatch' })
    expect(problem?.message).toMatch(/cp\.example\.com, 10\.9\.8\.7/)
  })

  it.each([
    ['expired', { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) }, -5_400_000],
    ['not valid yet', { notBefore: new Date(Date.now() + 3_600_000), notAfter: new Date(Date.now() + 7_200_000) }, 5_400_000],
  ])('by dates (%s) blames the clocks where they differ, and the certificate where they agree', async (_, dates, skewMs) => {
    const skewed = await listener({ dates, clock: () => Date.now() + skewMs })
    const error = await failed(skewed.origin, [authority.pem])
    const problem = await explainTls(error, { origin: skewed.origin, hasPin: true, advice })
    expect(problem).toMatchObject({ reason: 'clock_skew' })
    expect(problem?.message.match(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/g)).toHaveLength(2)
    const right = await listener({ dates })
    expect(await explainTls(await failed(right.origin, [authority.pem]), { origin: right.origin, hasPin: true, advice })).toMatchObject({
      reason: 'certificate_expired',
    })
  })

  it('because there is no TLS says so, and anything else is left to others', async () => {
    const port = await listen(createPlainServer((_, response) => response.end()))
    const origin = `https://127.0.0.1:${port}`
    expect(await explainTls(await failed(origin, undefined), { origin, hasPin: false, advice })).toMatchObject({ reason: 'tls_expected' })
    expect(await explainTls(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), { origin, hasPin: true, advice })).toBeNull()
  })
})
