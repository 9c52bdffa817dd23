import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '@mcpg/core/log'
import { publicRoutes } from '@mcpg/proto/access'
import { errorCodes, McpgError, type ErrorCode } from '@mcpg/proto/errors'
import { Problem } from '@mcpg/proto/problem'
import { temporaryFolder } from '../db/testing.ts'
import { testApp, type TestApp } from '../../test/app.ts'
import { httpServer, type HttpSettings } from './server.ts'

const settings: HttpSettings = {
  host: '127.0.0.1',
  port: 0,
  tls: false,
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  consoleFolder: null,
}
const silent = createLog({ level: 'silent', json: true })

describe('access', () => {
  it('stops the boot for a route that declares none', async () => {
    const feature = async (app: { get: (path: string, handler: () => unknown) => unknown }) => void app.get('/v1/open', () => 'x')
    await expect(httpServer(settings, silent, [feature as never])).rejects.toThrow('GET /v1/open declares no access')
  })

  it('stops the boot for a public route that is not in the one list of them', async () => {
    const server = httpServer(settings, silent, [
      async (app) => void app.get('/v1/leak', { config: { access: 'public' } }, async () => 'x'),
    ])
    await expect(server).rejects.toThrow('/v1/leak is public but not in publicRoutes')
  })

  it('answers 401 to somebody who is not signed in, on every route but the public ones', async () => {
    const test = await testApp({ change: (config) => ({ ...config, authMode: 'local' }) })
    try {
      const routes = routesOf(test.app.http.app.printRoutes({ commonPrefix: false, includeHooks: false }))
      expect(routes.length).toBeGreaterThan(40)
      for (const { method, path } of routes) {
        const url = path.replace(/:\w+/g, 'default')
        // The peer of an injected request is 127.0.0.1, which may read /metrics; anybody else may not.
        const { status, body } = await peer(test, method, url, '10.9.8.7')
        const isPublic = publicRoutes.includes(path)
        if (isPublic) expect(status, `${method} ${path}`).not.toBe(401)
        else {
          expect(status, `${method} ${path}`).toBe(401)
          if (method !== 'HEAD') expect(body).toMatchObject({ code: 'unauthenticated', reason: 'sign_in_required' })
        }
      }
    } finally {
      await test.close()
    }
  })
})

describe('the listener', () => {
  let test: TestApp
  beforeAll(async () => {
    test = await testApp()
  })
  afterAll(() => test.close())

  it.each<[string, Record<string, string>, string]>([
    ['a foreign Host', { host: 'evil.example' }, 'host_not_allowed'],
    ['another port as Origin', { origin: 'http://localhost:3000' }, 'origin_not_allowed'],
    ['Origin null', { origin: 'null' }, 'origin_not_allowed'],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 'cross_site'],
    ['another port without Origin', { 'sec-fetch-site': 'same-site' }, 'cross_site'],
  ])('refuses %s with 403 for every method, without a body too', async (_, headers, reason) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const { status, body } = await test.call(method, '/v1/orgs', undefined, headers)
      expect([method, status, body.reason]).toEqual([method, 403, reason])
    }
  })

  it('refuses a foreign Host on the console and on unknown paths too', async () => {
    for (const path of ['/', '/servers', '/v1/nope', '/metrics'])
      expect((await test.call('GET', path, undefined, { host: 'evil.example' })).status).toBe(403)
  })

  it('answers probes under any Host, but no other method there', async () => {
    expect((await test.call('GET', '/healthz', undefined, { host: '10.0.0.1:80' })).status).toBe(200)
    expect((await test.call('GET', '/readyz', undefined, { host: 'pod.cluster' })).status).toBe(200)
    expect((await test.call('POST', '/healthz', undefined, { host: 'pod.cluster' })).status).toBe(403)
  })

  it('never sends CORS headers', async () => {
    const { headers } = await test.call('GET', '/v1/version', undefined, { origin: 'http://localhost:80' })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/merge-patch+json'])(
    'refuses a POST body of %s with 415 before it looks at anything else',
    async (type) => {
      const answer = await test.app.http.inject({
        method: 'POST',
        url: '/v1/orgs',
        payload: '{"name":"x"}',
        headers: { 'content-type': type },
      })
      expect([answer.statusCode, answer.json().code]).toEqual([415, 'unsupported'])
    },
  )

  it('tells malformed JSON, a poisoned prototype and an oversized body apart', async () => {
    const post = (payload: string) =>
      test.app.http.inject({ method: 'POST', url: '/v1/orgs', payload, headers: { 'content-type': 'application/json' } })
    expect((await post('{"name":')).json()).toMatchObject({ status: 400, reason: 'malformed_json' })
    expect((await post('{"name":"x","__proto__":{"a":1}}')).json()).toMatchObject({ status: 400 })
    expect((await post(`{"name":"${'x'.repeat(1 << 20)}"}`)).json()).toMatchObject({ status: 413, code: 'too_large' })
  })

  it('answers unknown API paths with a problem document, never with the page', async () => {
    for (const path of ['/v1/nope', '/v1', '/enroll', '/v1/orgs/default/nope']) {
      const { status, headers, body } = await test.call('GET', path)
      expect([path, status, headers['content-type']]).toEqual([path, 404, 'application/problem+json'])
      expect(Problem.safeParse(body).success).toBe(true)
    }
  })

  it('tells a wrong method from an unknown path', async () => {
    const { status, headers, body } = await test.call('DELETE', '/v1/orgs')
    expect([status, body.code, body.reason, headers.allow]).toEqual([405, 'unsupported', 'method_not_allowed', 'GET, HEAD, POST'])
    expect((await test.call('PUT', '/v1/orgs/default/workspaces/default/apply')).headers.allow).toBe('POST')
  })

  it('refuses a body that is nested too deeply', async () => {
    const url = '/v1/orgs/default/workspaces/default/servers'
    await test.call('POST', url, { kind: 'Server', metadata: { name: 'deep' }, spec: { command: ['x'] } })
    const payload = `{"spec":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`
    const answer = await test.app.http.inject({
      method: 'PATCH',
      url: `${url}/deep`,
      payload,
      headers: { 'content-type': 'application/json' },
    })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid'])
  })

  it('names every request in the answer and sends the security headers with errors too', async () => {
    const { headers, body } = await test.call('GET', '/v1/nope')
    expect(body.requestId).toBe(headers['x-request-id'])
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['x-frame-options']).toBe('DENY')
  })

  it('names all violations of a request at once, unknown fields by their own pointer', async () => {
    const { status, body } = await test.call('POST', '/v1/orgs', { name: 'No!', displayName: 3, extra: 1 })
    expect(status).toBe(400)
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/name', '/displayName', '/extra'])
    expect(body.errors[1].detail).toBe('must be a text')
    const login = await test.call('POST', '/v1/auth/login', { email: 'ada', password: '' })
    expect(login.body.errors).toEqual([
      { pointer: '/email', detail: 'must be an e-mail address, such as ada@example.com' },
      { pointer: '/password', detail: 'must not be empty' },
    ])
    const audit = await test.call('GET', '/v1/orgs/default/audit?origin=nowhere')
    expect(audit.body.detail).toBe('/querystring/origin must be one of control-plane, gateways.')
    const query = await test.call('GET', '/v1/orgs/default/workspaces/default/servers?limit=0&nope=1')
    expect(query.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/querystring/limit', '/querystring/nope'])
  })

  it('shows no enrollment token in the path of an error', async () => {
    const { body } = await test.call('DELETE', '/enroll/mcpg_enr_secret')
    expect(JSON.stringify(body)).not.toContain('secret')
  })
})

describe('errors', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])('spells %s as the table says', async (code) => {
    const server = await httpServer(settings, silent, [
      async (app) =>
        void app.get('/v1/fails', { config: { access: 'signed-in' } }, async () => {
          throw new McpgError(code, 'some_reason', 'It failed.', { hint: 'Try that.', retryAfterSeconds: 7 })
        }),
    ])
    const answer = await server.inject('/v1/fails')
    expect(answer.statusCode).toBe(errorCodes[code].http)
    expect(answer.headers['retry-after']).toBe('7')
    expect(Problem.parse(answer.json())).toMatchObject({
      type: `urn:mcpg:${code}:some_reason`,
      code,
      detail: 'It failed.',
      hint: 'Try that.',
    })
    await server.stop()
  })

  it('hides what an unknown error says', async () => {
    const server = await httpServer(settings, silent, [
      async (app) =>
        void app.get('/v1/breaks', { config: { access: 'signed-in' } }, async () => {
          throw new Error('SELECT secret FROM somewhere')
        }),
    ])
    const answer = await server.inject('/v1/breaks')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
    await server.stop()
  })

  it('says who holds a port that is taken', async () => {
    const first = await httpServer(settings, silent, [])
    await first.start(() => {})
    const port = Number(new URL(first.url()).port)
    const second = await httpServer({ ...settings, port }, silent, [])
    const named = process.platform === 'linux' ? new RegExp(`taken by .+ \\(pid ${process.pid}\\)`) : /is taken/
    await expect(second.start(() => {})).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'port_taken',
      message: expect.stringMatching(named),
    })
    await Promise.all([first.stop(), second.stop()])
  })
})

describe('the console', () => {
  it('gets its page for every path without a file, under the strict policy, and files as they are', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder.path, 'index.html'), '<!doctype html><html><head></head><body>page</body></html>')
    mkdirSync(join(folder.path, 'assets'))
    writeFileSync(join(folder.path, 'assets/app-1.js'), 'run()')
    const server = await httpServer({ ...settings, consoleFolder: folder.path }, silent, [])
    for (const path of ['/', '/servers/github', '/index.html']) {
      const page = await server.inject(path)
      expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(page.body).toContain('page')
      const policy = String(page.headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
      expect(policy).toContain("img-src 'self' data:; media-src data:;")
      expect(policy).not.toMatch(/unsafe|nonce|\*|blob:|https?:/)
    }
    const opened = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
    for (const path of ['/tools/files/fs.read', '/access/users/ada@example.com']) {
      expect((await server.inject({ url: path, headers: opened })).body).toContain('page')
      expect((await server.inject(path)).json()).toMatchObject({ reason: 'file_unknown' })
    }
    for (const path of ['/assets/gone.js', '/v1/gone', '/v1/gone.json'])
      expect([path, (await server.inject({ url: path, headers: opened })).statusCode]).toEqual([path, 404])
    const script = await server.inject('/assets/app-1.js')
    expect([script.statusCode, script.body]).toEqual([200, 'run()'])
    expect(script.headers['cache-control']).toContain('immutable')
    for (const path of ['/assets/gone.js', '/../package.json', '/%2e%2e/package.json', '/assets/..%2f..%2fpackage.json'])
      expect([path, (await server.inject(path)).body.includes('"name"')]).toEqual([path, false])
    expect((await server.inject({ method: 'POST', url: '/servers' })).statusCode).toBe(404)
    await server.stop()
    folder.remove()
  })
})

/** Method and path of every route, from Fastify's own tree. */
function routesOf(tree: string): { method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'; path: string }[] {
  const found: ReturnType<typeof routesOf> = []
  const stack: string[] = []
  for (const line of tree.split('\n')) {
    const match = /^((?:│ {3}| {4})*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line)
    if (!match) continue
    const depth = match[1]!.length / 4
    stack.length = depth
    stack.push(match[2]!)
    for (const method of match[3]?.split(', ') ?? []) found.push({ method: method as 'GET', path: stack.join('') })
  }
  return found
}

async function peer(test: TestApp, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD', url: string, remoteAddress: string) {
  const answer = await test.app.http.inject({ method, url, remoteAddress })
  return {
    status: answer.statusCode,
    body: answer.body === '' || !/json/.test(String(answer.headers['content-type'])) ? null : answer.json(),
  }
}
