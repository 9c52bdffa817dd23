import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { givenCertificate, readPair } from '@mcpg/core/certificate-files'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { advertisedHost, bareHost, certificateNames } from '@mcpg/core/machine-names'
import { defaultTimers } from '@mcpg/core/timers'
import { createApp, type App } from '../app.ts'
import { readConfig, type Config } from '../config.ts'
import { temporaryFolder } from '../db/testing.ts'
import { makeCertificate, newKey, pemOf, signingKeyOf } from '../keys/certificates.ts'
import { until } from '../../test/fleet.ts'
import { enrollRequest, newIdentity } from '../../test/identity.ts'
import { ownCertificate } from './own-certificate.ts'

const silent = createLog({ level: 'silent', json: true })
const day = 86_400_000
let folder: string
let started: { app: App; stop: () => Promise<void>; lines: string[] }[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-tls-'))
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A control plane with both listeners started; TLS on loopback, as no flag can ask for it. */
async function start(change: (config: Config) => Config = (config) => config) {
  const state = temporaryFolder()
  const read = readConfig({ 'state-dir': state.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0', 'log-level': 'debug' }, {})
  const lines: string[] = []
  const config = { ...read, http: { ...read.http, tls: true }, grpc: { ...read.grpc, tls: true } }
  const app = await createApp(change(config), { logTo: { write: (line) => lines.push(line) } })
  for (const part of app.parts) await part.start(() => {})
  const stop = async () => {
    for (const part of app.parts.toReversed()) await part.stop()
    state.remove()
  }
  started.push({ app, stop, lines })
  return { app, lines, port: Number(new URL(app.http.url()).port), grpcPort: Number(new URL(app.fleet.grpcUrl()).port) }
}

/** A pair of files as somebody else's authority would issue it. */
async function files(name: string, { notBefore = Date.now() - 1000, notAfter = Date.now() + day, dns = 'cp.example.com' } = {}) {
  const { privateKey, publicKey } = await newKey()
  const issuer = { subject: `CN=${name}`, publicKey, signingKey: await signingKeyOf(privateKey) }
  const { der } = await makeCertificate(
    { subject: `CN=${name}`, publicKey, names: [{ type: 'dns', value: dns }], use: 'server', notBefore, notAfter },
    issuer,
  )
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(privateKey).toString('base64')}\n-----END PRIVATE KEY-----\n`
  const paths = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  writeFileSync(paths.cert, pemOf(der))
  writeFileSync(paths.key, key)
  return paths
}

type Asked = { method?: string; headers?: Record<string, string>; body?: unknown }

async function ask(port: number, path: string, ca: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  return await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const typed = { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }
    // The name is the matter of the guard here, and not of the handshake.
    const options = { host: '127.0.0.1', port, path, method, ca, headers: typed, agent: false, checkServerIdentity: () => undefined }
    const sent = request(options, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode!, body: text }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function enrollmentUrl(port: number, ca: string): Promise<string> {
  const path = '/v1/orgs/default/workspaces/default/environments/default/enrollments'
  const { body } = await ask(port, path, ca, { method: 'POST', body: {} })
  return (JSON.parse(body) as { url: string }).url
}

/** What comes back for some bytes over a bare connection. */
async function say(port: number, text: string | Buffer): Promise<string> {
  return await new Promise((resolve) => {
    let answer = ''
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

async function shown(port: number, options = {}): Promise<PeerCertificate> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'], ...options }, () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

describe('a REST listener with TLS', () => {
  it('shows a certificate of our authority with its names, and says them at the start', async () => {
    const { app, port, lines } = await start((config) => ({
      ...config,
      external: { url: 'https://cp.example.com', grpc: 'https://agents.example.com:7844' },
      http: { ...config.http, allowedHosts: ['cp.lan:7843'] },
    }))
    expect((await ask(port, '/readyz', app.authority.rootsPem())).status).toBe(200)
    const { subjectaltname } = await shown(port)
    expect(subjectaltname).toBe('IP Address:127.0.0.1, DNS:cp.example.com, DNS:agents.example.com, DNS:cp.lan')
    expect(lines.join('')).toContain('cp.example.com')
  })

  it('guards Host and Origin with its own scheme, and takes the names of its certificate for its own', async () => {
    const { app, port } = await start((config) => ({ ...config, http: { ...config.http, allowedHosts: ['cp.lan'] } }))
    const version = (headers: Record<string, string>) => ask(port, '/v1/version', app.authority.rootsPem(), { headers })
    expect((await version({ host: `cp.lan:${port}`, origin: `https://cp.lan:${port}` })).status).toBe(200)
    expect((await version({ origin: `https://127.0.0.1:${port}` })).status).toBe(200)
    expect(JSON.parse((await version({ origin: `http://127.0.0.1:${port}` })).body)).toMatchObject({ reason: 'origin_not_allowed' })
    expect(JSON.parse((await version({ host: 'evil.example' })).body)).toMatchObject({ reason: 'host_not_allowed' })
    expect((await ask(port, '/metrics', app.authority.rootsPem())).status).toBe(200)
  })

  it('tells a plaintext request what it is, in one line, and goes on', async () => {
    const { app, port, lines } = await start()
    const answer = await say(port, `GET /v1/version HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*This port speaks HTTPS: write https:\/\/ instead of http:\/\/\n$/)
    expect(lines.join('')).toContain('a plaintext request to the HTTPS port was refused')
    expect((await ask(port, '/healthz', app.authority.rootsPem())).status).toBe(200)
  })

  it('enrolls nobody over plaintext: the token never gets to a route', async () => {
    const { app, port } = await start()
    const { pathname } = new URL(await enrollmentUrl(port, app.authority.rootsPem()))
    const body = JSON.stringify(enrollRequest(await newIdentity(), 'plain', 1))
    const sent = `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    expect(await say(port, sent)).toContain('This port speaks HTTPS')
    expect(await app.db.read.gateway.count()).toBe(0)
  })

  it('closes while a connection has said nothing yet', async () => {
    const { app, port } = await start()
    const socket = connectPlain(port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    await ask(port, '/healthz', app.authority.rootsPem())
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await started.pop()!.stop()
    await closed
  })
})

describe('the listener of the gateways', () => {
  it('closes a plaintext connection and logs where it came from', async () => {
    const { grpcPort, lines } = await start()
    expect(await say(grpcPort, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('')
    expect(lines.join('')).toContain('a plaintext connection to the TLS port of the gateways was closed')
  })

  it('always shows our certificate, also where REST has a given one, and then no pin is handed out', async () => {
    const paths = await files('given')
    const { port, grpcPort } = await start((config) => ({ ...config, certificate: pairOf(paths) }))
    expect((await shown(port)).subject.CN).toBe('given')
    expect((await shown(grpcPort)).subject.CN).toBe('mcpg control plane')
    const ca = readFileSync(paths.cert, 'utf8')
    expect(await enrollmentUrl(port, ca)).not.toContain('#')
  })
})

describe('a plaintext listener', () => {
  it('logs that a TLS client came', async () => {
    const { port, lines } = await start((config) => ({ ...config, http: { ...config.http, tls: false } }))
    await expect(shown(port)).rejects.toThrow(/wrong version number|packet length|disconnected|reset/)
    expect(lines.join('')).toContain('a TLS client came to the plaintext port')
  })
})

describe('the certificate of a listener', () => {
  it('is replaced in the last third of its life, and when the names of the machine change', async () => {
    const { app } = await start()
    const clock = fakeClock(Date.now())
    let names = ['10.0.0.5']
    const { authority } = app
    const own = await ownCertificate({ authority, names: () => names, clock, timers: defaultTimers, log: silent })
    const parsed = () => new X509Certificate(own.pair().cert)
    const replaced = async (stepMs: number) => {
      const before = parsed().serialNumber
      await until(async () => {
        await clock.advance(stepMs)
        return parsed().serialNumber !== before
      })
    }
    expect(parsed().subjectAltName).toBe('IP Address:10.0.0.5')
    names = ['10.0.0.6']
    await replaced(defaultTimers.certificateCheck)
    expect(parsed().subjectAltName).toBe('IP Address:10.0.0.6')
    await replaced(21 * day)
    own.stop()
  })

  it('changes under open connections when somebody renews the files', async () => {
    const paths = await files('before')
    const { port } = await start((config) => ({
      ...config,
      certificate: pairOf(paths),
      timers: { ...config.timers, certificateCheck: 10 },
    }))
    const open = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await new Promise<void>((resolve) => open.once('secureConnect', resolve))
    const renewed = await files('after')
    for (const file of ['cert', 'key'] as const) renameSync(renewed[file], paths[file])
    await until(async () => (await shown(port)).subject.CN === 'after')
    const answered = new Promise<string>((resolve) => open.once('data', (data: Buffer) => resolve(data.toString())))
    open.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
    expect(await answered).toContain('200 OK')
    open.destroy()
  })
})

describe('certificate files', () => {
  it('are read as a pair', async () => {
    const paths = await files('good')
    expect(readPair(paths, Date.now())).toMatchObject({ pair: { cert: expect.stringContaining('BEGIN CERTIFICATE') } })
  })

  it.each<[string, () => Promise<{ cert: string; key: string }>, RegExp[]]>([
    [
      'that are missing',
      async () => ({ cert: '/none.pem', key: '/none.key' }),
      [/none\.pem cannot be read \(ENOENT\)/, /none\.key cannot be read/],
    ],
    ['that are something else', async () => noPem(), [/is not a certificate in PEM/, /is not an unencrypted private key in PEM/]],
    [
      'that do not belong together',
      async () => ({ ...(await files('one')), key: (await files('two')).key }),
      [/is not the key of the certificate/],
    ],
    ['that have expired', async () => files('old', { notBefore: Date.now() - 2 * day, notAfter: Date.now() - day }), [/expired at \d{4}-/]],
    [
      'of the future',
      async () => files('young', { notBefore: Date.now() + day, notAfter: Date.now() + 2 * day }),
      [/is not valid before \d{4}-/],
    ],
  ])('%s are refused at the start with exit code 2, all at once', async (_what, make, details) => {
    const paths = await make()
    const flags = {
      'bind-http': '10.0.0.1:7843',
      'insecure-allow-unauthenticated': true,
      'tls-cert-file': paths.cert,
      'tls-key-file': paths.key,
    }
    expect(() => readConfig(flags, {})).toThrow(
      expect.objectContaining({
        code: 'invalid',
        violations: details.map((detail) => ({
          pointer: expect.stringMatching(/^--tls-(cert|key)-file$/),
          detail: expect.stringMatching(detail),
        })),
      }),
    )
  })

  it('are taken over when they have changed and fit, and not in between', async () => {
    const paths = await files('acme')
    const clock = fakeClock(Date.now())
    const found = readPair(paths, clock.now())
    if ('problems' in found) throw new Error(found.problems[0]!.detail)
    const certificate = givenCertificate({ files: paths, first: found.pair, clock, timers: defaultTimers, log: silent })
    let told = 0
    certificate.onChange(() => told++)
    const renewed = await files('acme-next', { dns: 'cp.example.org' })
    const read = (path: string) => readFileSync(path, 'utf8')
    writeFileSync(paths.cert, read(renewed.cert))
    await clock.advance(defaultTimers.certificateCheck)
    expect([told, certificate.pair()]).toEqual([0, found.pair])
    writeFileSync(paths.key, read(renewed.key))
    await clock.advance(defaultTimers.certificateCheck)
    expect([told, certificate.pair().cert]).toEqual([1, read(renewed.cert)])
    certificate.stop()
  })

  function noPem() {
    const paths = { cert: join(folder, 'no.pem'), key: join(folder, 'no.key') }
    writeFileSync(paths.cert, 'x')
    writeFileSync(paths.key, createHash('sha256').update('y').digest())
    return paths
  }
})

function pairOf(paths: { cert: string; key: string }): Config['certificate'] {
  const found = readPair(paths, Date.now())
  if ('problems' in found) throw new Error(found.problems[0]!.detail)
  return { files: paths, pair: found.pair }
}

describe('the names of a certificate', () => {
  const machine = { hostname: 'host-1', addresses: ['10.0.0.5', 'fd00::5'] }

  it.each<[string, string[], string[], string[]]>([
    ['an address', ['10.0.0.5', '10.0.0.5'], [], ['10.0.0.5']],
    ['every address', ['0.0.0.0'], [], ['10.0.0.5', 'fd00::5', 'host-1', 'localhost', '127.0.0.1', '::1']],
    [
      'every address of both kinds',
      ['::'],
      ['cp.example.com'],
      ['10.0.0.5', 'fd00::5', 'host-1', 'localhost', '127.0.0.1', '::1', 'cp.example.com'],
    ],
    [
      'what the operator named',
      ['10.0.0.5'],
      ['CP.example.com:7843', '[fd00::7]', 'cp.example.com'],
      ['10.0.0.5', 'cp.example.com', 'fd00::7'],
    ],
  ])('bound to %s', (_what, hosts, named, expected) => {
    expect(certificateNames({ hosts, named }, machine)).toEqual(expected)
  })

  it('and the host that is told to others is one they can reach', () => {
    expect([advertisedHost('10.0.0.9', machine), advertisedHost('0.0.0.0', machine)]).toEqual(['10.0.0.9', '10.0.0.5'])
    expect(advertisedHost('::', { hostname: 'h', addresses: [] })).toBe('h')
    expect(['[::1]:80', '::1', 'A.example:1'].map(bareHost)).toEqual(['::1', '::1', 'a.example'])
  })
})
