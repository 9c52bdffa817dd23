import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { McpgError } from '@mcpg/proto/errors'
import { readConfig, type Environment, type Flags } from './config.ts'
import { temporaryFolder } from './db/testing.ts'

function refusal(flags: Flags, env: Environment = {}): McpgError {
  try {
    readConfig(flags, env)
  } catch (error) {
    if (error instanceof McpgError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('readConfig', () => {
  it('needs nothing', () => {
    const config = readConfig({}, {})
    expect(config).toMatchObject({
      stateDir: join(homedir(), '.mcpg'),
      http: { host: '127.0.0.1', port: 7843, allowedHosts: [], allowedOrigins: [] },
      grpc: { host: '127.0.0.1', port: 7844 },
      database: { engine: 'sqlite', path: join(homedir(), '.mcpg/mcpg.db') },
      masterKeyPath: join(homedir(), '.mcpg/master.key'),
      log: { level: 'info', json: false },
    })
  })

  it('takes a flag over its variable over the default, and the spelling of either kind of flag parser', () => {
    const env = { MCPG_BIND_HTTP: '127.0.0.1:1', MCPG_STATE_DIR: '/s', MCPG_JSON_LOGS: 'true', MCPG_ALLOWED_HOST: 'a.example, b.example' }
    const config = readConfig({ bindHttp: 'localhost:2' }, env)
    expect([config.http.host, config.http.port, config.stateDir, config.log.json]).toEqual(['localhost', 2, '/s', true])
    expect(config.http.allowedHosts).toEqual(['a.example', 'b.example'])
    expect(readConfig({ 'bind-http': '[::1]:3', 'allowed-host': ['c'] }, env).http).toMatchObject({
      host: '::1',
      port: 3,
      allowedHosts: ['c'],
    })
    expect(readConfig({}, { MCPG_TIMERS: 'heartbeat=200' }).timers.heartbeat).toBe(200)
    expect(readConfig({ 'database-url': 'sqlite:/data/x.db' }, {}).database).toMatchObject({ engine: 'sqlite', path: '/data/x.db' })
  })

  it('lets everybody in on loopback, asks for sign-in beyond it, and believes who says otherwise', () => {
    const modeOf = (flags: Flags) => readConfig(flags, {}).authMode
    expect(modeOf({})).toBe('none')
    expect(modeOf({ 'auth-mode': 'local' })).toBe('local')
    expect(modeOf({ 'bind-http': '0.0.0.0:7843' })).toBe('local')
    expect(modeOf({ 'bind-grpc': '0.0.0.0:7844' })).toBe('local')
    expect(modeOf({ 'bind-grpc': '0.0.0.0:7844', 'auth-mode': 'none' })).toBe('none')
    expect(modeOf({ 'bind-http': '0.0.0.0:7843', 'insecure-allow-unauthenticated': true })).toBe('none')
    expect(readConfig({ 'bind-http': '0.0.0.0:7843' }, {}).openToOthers).toBe(false)
  })

  it('takes an issuer as it is written, and who is admin there', () => {
    const flags = { 'auth-mode': 'oidc', 'oidc-issuer': 'https://id.example/', 'oidc-client-id': 'mcpg', 'admin-group': 'ops,sre' }
    expect(readConfig(flags, {}).oidc).toEqual({
      issuer: 'https://id.example/',
      clientId: 'mcpg',
      clientSecret: null,
      audiences: ['mcpg', 'mcpg-ctl'],
      adminSubjects: [],
      adminGroups: ['ops', 'sre'],
    })
    expect(readConfig({}, {}).oidc).toBe(null)
  })

  it.each<[string, Flags, string, RegExp]>([
    ['an issuer without the mode', { 'oidc-issuer': 'https://id.example' }, '--oidc-issuer', /no use without --auth-mode oidc/],
    [
      'an issuer by plain http elsewhere',
      { 'auth-mode': 'oidc', 'oidc-issuer': 'http://id.example', 'oidc-client-id': 'mcpg', 'admin-group': 'ops' },
      '--oidc-issuer',
      /must be https/,
    ],
    [
      'an issuer with nobody who is admin',
      { 'auth-mode': 'oidc', 'oidc-issuer': 'https://id.example', 'oidc-client-id': 'mcpg' },
      '--admin-subject',
      /nobody becomes admin by being first/,
    ],
    ['an unknown mode', { 'auth-mode': 'nobody' }, '--auth-mode', /none, local, oidc/],
    [
      'a listener for others without sign-in, with both ways out',
      { 'bind-http': '0.0.0.0:7843', 'auth-mode': 'none' },
      '--bind-http',
      /--auth-mode local or oidc, or 127\.0\.0\.1:7843.*--insecure-allow-unauthenticated/,
    ],
    ['an address without a port', { 'bind-http': 'localhost' }, '--bind-http', /<host>:<port>/],
    ['a port that cannot be', { 'bind-http': 'localhost:70000' }, '--bind-http', /<host>:<port>/],
    ['the same address twice', { 'bind-grpc': '127.0.0.1:7843' }, '--bind-grpc', /same address/],
    ['a PostgreSQL without its database', { 'database-url': 'postgres://u:p@h' }, '--database-url', /names no database/],
    ['an unknown parameter of PostgreSQL', { 'database-url': 'postgres://u:p@h/d?pool=3' }, '--database-url', /\?pool=; known are/],
    ['an unknown sslmode', { 'database-url': 'postgres://u:p@h/d?sslmode=prefer' }, '--database-url', /disable, require, verify-full/],
    ['a file of a URL that is not there', { 'database-url-file': '/no/such/file' }, '--database-url-file', /cannot be read.*ENOENT/],
    ['an unknown database', { 'database-url': 'mysql://h' }, '--database-url', /sqlite:<path>/],
    ['an unknown log level', { 'log-level': 'loud' }, '--log-level', /trace, debug/],
    ['an origin with a path', { 'allowed-origin': ['https://a.example/x'] }, '--allowed-origin', /not an origin/],
    ['an external URL of another scheme', { 'external-url': 'ftp://a' }, '--external-url', /http or https/],
  ])('refuses %s with exit code 2', (_, flags, pointer, detail) => {
    const error = refusal(flags)
    expect(error.code).toBe('invalid')
    expect(error.violations).toEqual([{ pointer, detail: expect.stringMatching(detail) }])
  })

  it('names everything that is wrong at once', () => {
    const error = refusal({ 'auth-mode': 'nobody', 'bind-http': 'x', 'log-level': 'y' }, { MCPG_TIMERS: 'nope=1', MCPG_JSON_LOGS: 'maybe' })
    expect(error.violations.map(({ pointer }) => pointer).sort()).toEqual([
      '--auth-mode',
      '--bind-http',
      '--json-logs',
      '--log-level',
      'MCPG_TIMERS',
    ])
  })

  it('reads the URL of a PostgreSQL, from a file too, so that neither argv nor the environment shows its password', () => {
    const folder = temporaryFolder()
    const file = join(folder.path, 'url')
    writeFileSync(file, 'postgresql://me:p%40ss@[::1]:6543/fleet?sslmode=verify-full&sslrootcert=/ca.pem\n')
    expect(readConfig({ 'database-url-file': file }, { MCPG_DATABASE_URL: 'sqlite:x' }).database).toMatchObject({
      engine: 'postgresql',
      address: {
        host: '::1',
        port: 6543,
        user: 'me',
        password: 'p@ss',
        database: 'fleet',
        tls: { mode: 'verify-full', rootCertFile: '/ca.pem' },
      },
    })
    expect(readConfig({ 'database-url': 'postgres://me@localhost/fleet?host=/run/postgresql' }, {}).database).toMatchObject({
      address: { host: '/run/postgresql', port: 5432, tls: { mode: 'disable' } },
    })
    folder.remove()
  })

  it('never repeats a password of a URL', () => {
    for (const url of ['postgres://user:hunter2@host', 'postgres://user:hunter2@ho st/db', 'postgres://u:hunter2@h/d?hunter2=hunter2'])
      expect(refusal({ 'database-url': url.replace('?hunter2=', '?x=') }).message).not.toContain('hunter2')
  })
})
