import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { McpgError } from '@mcpg/proto/errors'
import { readConfig, type Environment, type Flags } from './config.ts'

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
      http: { host: '127.0.0.1', port: 7843, allowedHosts: [], allowedOrigins: [], requireSignIn: false },
      grpc: { host: '127.0.0.1', port: 7844 },
      database: { path: join(homedir(), '.mcpg/mcpg.db') },
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
    expect(readConfig({ 'database-url': 'sqlite:/data/x.db' }, {}).database.path).toBe('/data/x.db')
  })

  it.each<[string, Flags, string, RegExp]>([
    ['another sign-in', { 'auth-mode': 'local' }, '--auth-mode', /not supported yet/],
    ['an unknown mode', { 'auth-mode': 'nobody' }, '--auth-mode', /none, local, oidc/],
    [
      'a listener for others without sign-in, with both ways out',
      { 'bind-http': '0.0.0.0:7843' },
      '--bind-http',
      /127\.0\.0\.1:7843.*--insecure-allow-unauthenticated/,
    ],
    ['an address without a port', { 'bind-http': 'localhost' }, '--bind-http', /<host>:<port>/],
    ['a port that cannot be', { 'bind-http': 'localhost:70000' }, '--bind-http', /<host>:<port>/],
    ['the same address twice', { 'bind-grpc': '127.0.0.1:7843' }, '--bind-grpc', /same address/],
    ['PostgreSQL', { 'database-url': 'postgres://u:p@h/d' }, '--database-url', /not supported yet/],
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
    const error = refusal({ 'auth-mode': 'oidc', 'bind-http': 'x', 'log-level': 'y' }, { MCPG_TIMERS: 'nope=1', MCPG_JSON_LOGS: 'maybe' })
    expect(error.violations.map(({ pointer }) => pointer).sort()).toEqual([
      '--auth-mode',
      '--bind-http',
      '--json-logs',
      '--log-level',
      'MCPG_TIMERS',
    ])
  })

  it('never repeats a password of a URL', () => {
    expect(refusal({ 'database-url': 'postgres://user:hunter2@host/db' }).message).not.toContain('hunter2')
  })
})
