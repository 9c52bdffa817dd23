import { once } from 'node:events'
import 'reflect-metadata'
import { createServer as createHttps } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { afterEach, expect, it } from 'vitest'
import { fakeClock, systemClock, type Clock } from '@mcpg/core/clock'
import { httpClient, type HttpClient } from './http-client.ts'
import { requestHead } from './http-head.ts'

type Seen = { status?: number; body: string; error?: string }
type Asked = Seen & { done: (seen: Seen) => void }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A peer that answers requests by hand: `answer` gets the text of each and the number of its connection. */
async function startServer(answer: (text: string, socket: Socket, connection: number) => void) {
  let connections = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const number = ++connections
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (chunk) => answer(chunk.toString(), socket, number))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((done) => server.close(done))
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp?a=b`)
  return { url, sockets, connections: () => connections }
}

function open(origin: URL, { clock = systemClock, maxConnections = 4 }: { clock?: Clock; maxConnections?: number } = {}) {
  const client: HttpClient<Asked> = httpClient<Asked>({
    origin,
    clock,
    connectMs: 5_000,
    maxConnections,
    handler: {
      onStart: (asked, status) => (asked.status = status),
      onData: (asked, chunk) => (asked.body += chunk.toString()),
      onEnd: ({ done, ...seen }) => done(seen),
      onError: ({ done, ...seen }, error) => done({ ...seen, error: error.message }),
    },
  })
  closing.push(client.close)
  return { client, post }

  function post(body = 'hi') {
    const { promise, resolve } = Promise.withResolvers<Seen>()
    const sent = client.send(requestHead('POST', origin, { 'x-a': 'é' }), body, { body: '', done: resolve })
    return { answer: promise, sent }
  }
}

const ok = (text: string, more = '') => `HTTP/1.1 200 OK\r\n${more}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`

it('sends one request after the other on one connection', async () => {
  const seen: string[] = []
  const server = await startServer((text, socket) => {
    seen.push(text)
    socket.write(ok('a'))
  })
  const { post } = open(server.url)
  expect(await post('grüß').answer).toEqual({ status: 200, body: 'a' })
  expect(await post().answer).toEqual({ status: 200, body: 'a' })
  expect(server.connections()).toBe(1)
  const host = `127.0.0.1:${server.url.port}`
  expect(seen[0]).toBe(`POST /mcp?a=b HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nx-a: é\r\ncontent-length: 6\r\n\r\ngrüß`)
})

it('opens another connection where the server closes, says so, or ends its answer so', async () => {
  const answers = ['HTTP/1.1 200 OK\r\n\r\nb', ok('c', 'connection: close\r\n'), ok('d', 'keep-alive: timeout=1\r\n'), ok('e')]
  const server = await startServer((_text, socket, number) => {
    if (number === 1) socket.end(answers[0]!)
    else socket.write(answers[number - 1]!)
  })
  const { post } = open(server.url)
  for (const body of ['b', 'c', 'd', 'e']) expect(await post().answer).toEqual({ status: 200, body })
  expect(server.connections()).toBe(4)
})

it('lets requests wait when all connections are taken', async () => {
  const open2: Socket[] = []
  const server = await startServer((_text, socket) => void open2.push(socket))
  const { post, client } = open(server.url, { maxConnections: 2 })
  const answers = [post(), post(), post(), post()]
  client.abort(answers[3]!.sent)
  await expect.poll(() => open2.length).toBe(2)
  open2[0]!.write(ok('first'))
  await expect.poll(() => open2.length).toBe(3)
  for (const socket of open2.slice(1)) socket.write(ok('then'))
  const bodies = await Promise.all(answers.slice(0, 3).map(({ answer }) => answer))
  expect(bodies.map(({ body }) => body).toSorted()).toEqual(['first', 'then', 'then'])
  expect(server.connections()).toBe(2)
})

it('says what went wrong, and tries again with the next request', async () => {
  const server = await startServer((_text, socket, number) => {
    if (number === 1) socket.destroy()
    else if (number === 2) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
    else if (number === 3) socket.write('what?\r\n\r\n')
    else socket.write(ok('fine'))
  })
  const { post } = open(server.url)
  expect(await post().answer).toMatchObject({ error: 'it closed the connection' })
  expect(await post().answer).toEqual({ status: 200, body: 'half', error: 'it closed the connection' })
  expect(await post().answer).toMatchObject({ error: expect.stringContaining('no HTTP/1.1 status line') })
  expect(await post().answer).toEqual({ status: 200, body: 'fine' })
})

it('fails every request when nobody listens', async () => {
  const { post } = open(new URL('http://127.0.0.1:1'))
  const failures = await Promise.all([post().answer, post().answer, post().answer])
  for (const { error } of failures) expect(error).toContain('ECONNREFUSED')
})

it('never takes what came unasked for an answer', async () => {
  const server = await startServer((_text, socket, number) => socket.write(ok(`of ${number}`)))
  const { post } = open(server.url)
  await post().answer
  for (const socket of server.sockets) socket.write(ok('planted'))
  await expect.poll(() => server.sockets.size).toBe(0)
  expect((await post().answer).body).toBe('of 2')
})

it('ends the connection of an aborted request', async () => {
  const server = await startServer((text, socket) => void (text.endsWith('stay') || socket.write(ok('x'))))
  const { post, client } = open(server.url)
  let told = false
  const { sent, answer } = post('stay')
  void answer.then(() => (told = true))
  await expect.poll(() => server.sockets.size).toBe(1)
  client.abort(sent)
  await expect.poll(() => server.sockets.size).toBe(0)
  expect((await post().answer).body).toBe('x')
  expect(told).toBe(false)
})

it('gives up connections that nobody uses', async () => {
  const clock = fakeClock()
  const server = await startServer((_text, socket) => socket.write(ok('x')))
  const { post } = open(server.url, { clock })
  await post().answer
  await clock.advance(3_000)
  expect(server.sockets.size).toBe(1)
  await clock.advance(2_000)
  await expect.poll(() => server.sockets.size).toBe(0)
})

it('fails what is open when it is closed', async () => {
  const server = await startServer(() => {})
  const { post, client } = open(server.url, { maxConnections: 1 })
  const answers = [post().answer, post().answer]
  await expect.poll(() => server.sockets.size).toBe(1)
  client.close()
  for (const { error } of await Promise.all([...answers, post().answer])) expect(error).toBeDefined()
})

it('carries large bodies both ways', async () => {
  const large = 'é'.repeat(3_000_000)
  let received = 0
  const server = await startServer((text, socket) => {
    received += Buffer.byteLength(text)
    if (text.endsWith('.')) socket.write(ok('é'.repeat(2_000_000)))
  })
  const { post } = open(server.url)
  const { body } = await post(`${large}.`).answer
  expect(Buffer.byteLength(body)).toBeGreaterThanOrEqual(4_000_000)
  expect(received).toBeGreaterThan(6_000_000)
})

it('speaks TLS to servers whose certificate is trusted, and to no others', async () => {
  const { key, certificate } = await selfSigned('localhost')
  let connections = 0
  const server = createHttps({ key, cert: certificate }, (request, response) => request.resume().on('end', () => response.end('secret')))
  server.on('secureConnection', () => connections++)
  server.listen(0, 'localhost')
  await once(server, 'listening')
  closing.push(() => new Promise((done) => server.close(done)))
  const { post } = open(new URL(`https://localhost:${(server.address() as AddressInfo).port}/`))
  expect(await post().answer).toMatchObject({ error: expect.stringContaining('self-signed certificate') })
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, certificate])
  closing.push(() => setDefaultCACertificates(trusted))
  expect(await post().answer).toEqual({ status: 200, body: 'secret' })
  expect(await post().answer).toEqual({ status: 200, body: 'secret' })
  expect(connections).toBe(1)
})

async function selfSigned(name: string) {
  const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(signing, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: signing,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`, certificate: certificate.toString('pem') }
}
