import { describe, expect, it } from 'vitest'
import { acceptsBody, checkRequest, type GuardedRequest, type GuardRules } from './http-guard.ts'

const rules: GuardRules = {
  scheme: 'http',
  port: 7843,
  allowedHosts: ['mcpg.example.com', 'lan:9000'],
  allowedOrigins: ['https://mcpg.example.com'],
}
const request = (over: Partial<GuardedRequest>): GuardedRequest => ({
  method: 'GET',
  host: '127.0.0.1:7843',
  origin: undefined,
  secFetchSite: undefined,
  secFetchMode: undefined,
  secFetchDest: undefined,
  ...over,
})
const navigation = { secFetchMode: 'navigate', secFetchDest: 'document' }

describe('checkRequest', () => {
  it.each<[string, Partial<GuardedRequest>, string | null]>([
    ['no browser headers at all', {}, null],
    ['localhost', { host: 'localhost:7843' }, null],
    ['localhost with a closing dot', { host: 'localhost.:7843' }, null],
    ['IPv6 loopback', { host: '[::1]:7843' }, null],
    ['another loopback address', { host: '127.8.9.1:7843' }, null],
    ['our name with another port', { host: '127.0.0.1:7844' }, 'host_not_allowed'],
    ['our name without a port', { host: '127.0.0.1' }, 'host_not_allowed'],
    ['no Host', { host: undefined }, 'host_not_allowed'],
    ['a name that could be rebound', { host: 'evil.example:7843' }, 'host_not_allowed'],
    ['a name that begins like ours', { host: '127.0.0.1.evil.example:7843' }, 'host_not_allowed'],
    ['credentials in Host', { host: 'a@127.0.0.1:7843' }, 'host_not_allowed'],
    ['a configured name, any port', { host: 'mcpg.example.com' }, null],
    ['a configured name with its port', { host: 'lan:9000' }, null],
    ['a configured name with another port', { host: 'lan:9001' }, 'host_not_allowed'],
    ['our origin', { origin: 'http://127.0.0.1:7843' }, null],
    ['our origin under another loopback name', { origin: 'http://localhost:7843' }, null],
    ['another port of loopback', { origin: 'http://127.0.0.1:3000' }, 'origin_not_allowed'],
    ['another scheme', { origin: 'https://127.0.0.1:7843' }, 'origin_not_allowed'],
    ['another site', { origin: 'https://evil.example' }, 'origin_not_allowed'],
    ['the origin null', { origin: 'null' }, 'origin_not_allowed'],
    ['an empty origin', { origin: '' }, 'origin_not_allowed'],
    ['an origin the operator named', { origin: 'https://mcpg.example.com', secFetchSite: 'cross-site', method: 'POST' }, null],
    ['same-origin fetch', { secFetchSite: 'same-origin' }, null],
    ['typed into the address bar', { secFetchSite: 'none', ...navigation }, null],
    ['another port, without Origin', { secFetchSite: 'same-site' }, 'cross_site'],
    ['an image on another site', { secFetchSite: 'cross-site', secFetchMode: 'no-cors', secFetchDest: 'image' }, 'cross_site'],
    ['a link on another site', { secFetchSite: 'cross-site', ...navigation }, null],
    ['a frame on another site', { secFetchSite: 'cross-site', secFetchMode: 'navigate', secFetchDest: 'iframe' }, 'cross_site'],
    ['a form of another site', { method: 'POST', secFetchSite: 'cross-site', ...navigation }, 'cross_site'],
    ['a bodyless DELETE of another port', { method: 'DELETE', secFetchSite: 'same-site' }, 'cross_site'],
  ])('%s', (_, over, reason) => {
    expect(checkRequest(request(over), rules)?.reason ?? null).toBe(reason)
  })

  it('never allows the origin null, even when it is listed', () => {
    expect(checkRequest(request({ origin: 'null' }), { ...rules, allowedOrigins: ['null'] })?.reason).toBe('origin_not_allowed')
  })

  it('shows a strange header short and without control characters', () => {
    const refusal = checkRequest(request({ host: `x\n${'y'.repeat(500)}` }), rules)
    expect(refusal?.message).toMatch(/^[\x20-\x7e]{1,220}$/)
  })
})

describe('acceptsBody', () => {
  it.each<[string, string | undefined, boolean, boolean]>([
    ['POST', 'application/json', true, true],
    ['POST', 'Application/JSON; charset=utf-8', true, true],
    ['POST', undefined, false, true],
    ['POST', undefined, true, false],
    ['POST', 'text/plain', true, false],
    ['POST', 'application/x-www-form-urlencoded', true, false],
    ['POST', 'application/merge-patch+json', true, false],
    ['PATCH', 'application/merge-patch+json', true, true],
    ['PATCH', 'application/json-patch+json', true, false],
  ])('%s %s, body: %s', (method, type, hasBody, accepted) => {
    expect(acceptsBody(method, type, hasBody)).toBe(accepted)
  })
})
