import { describe, expect, it } from 'vitest'
import { paramHeaders } from '../mcp/param-headers.ts'
import { checkModern, checkParamHeaders, eraOf } from './modern-rules.ts'

const version = '2026-07-28'
const envelope = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} }
const good = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
const params = { name: 'echo', _meta: envelope }

describe('the era of a message', () => {
  it.each([
    ['tools/list', { _meta: envelope }, undefined, 'modern'],
    ['tools/list', { _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } }, undefined, 'modern'],
    ['tools/list', undefined, version, 'modern'],
    ['tools/list', undefined, '2025-11-25', 'legacy'],
    ['tools/list', {}, undefined, 'legacy'],
    ['initialize', { protocolVersion: '2025-11-25' }, undefined, 'legacy'],
    ['initialize', { protocolVersion: '2025-11-25' }, version, 'modern'],
    ['initialize', { _meta: envelope }, version, 'modern'],
  ])('%s with %j and the header %s is %s', (method, body, header, era) => {
    expect(eraOf(method, body, header)).toBe(era)
  })
})

describe('a modern request', () => {
  it('passes when headers and body agree', () => {
    expect(checkModern('tools/call', params, good)).toBeNull()
    expect(checkModern('tools/call', { name: 'ü', _meta: envelope }, { ...good, 'mcp-name': '=?base64?w7w=?=' })).toBeNull()
    expect(checkModern('tools/list', { _meta: envelope }, { 'mcp-protocol-version': version, 'mcp-method': 'tools/list' })).toBeNull()
  })

  it.each([
    ['no envelope', { name: 'echo' }, good, -32602],
    ['no capabilities', { name: 'echo', _meta: { 'io.modelcontextprotocol/protocolVersion': version } }, good, -32602],
    [
      'capabilities of a wrong type',
      { name: 'echo', _meta: { ...envelope, 'io.modelcontextprotocol/clientCapabilities': 1 } },
      good,
      -32602,
    ],
    ['another version in the header', params, { ...good, 'mcp-protocol-version': '2025-11-25' }, -32020],
    ['no version header', params, { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, -32020],
    ['no method header', params, { 'mcp-protocol-version': version, 'mcp-name': 'echo' }, -32020],
    ['another method in the header', params, { ...good, 'mcp-method': 'tools/list' }, -32020],
    ['no name header', params, { 'mcp-protocol-version': version, 'mcp-method': 'tools/call' }, -32020],
    ['another name in the header', params, { ...good, 'mcp-name': 'other' }, -32020],
    ['a name that is no Base64', params, { ...good, 'mcp-name': '=?base64?*?=' }, -32020],
    [
      'a version nobody speaks',
      { name: 'echo', _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } },
      { ...good, 'mcp-protocol-version': '2099-01-01' },
      -32022,
    ],
  ])('is refused with 400 for %s', (_name, body, headers, code) => {
    expect(checkModern('tools/call', body, headers)).toMatchObject({ failure: { code }, status: 400 })
  })

  it('names the versions spoken here', () => {
    const future = '2099-01-01'
    const refused = checkModern(
      'tools/list',
      { _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': future } },
      { 'mcp-protocol-version': future },
    )
    expect(refused!.failure.data).toEqual({ supported: [version], requested: future })
  })
})

describe('a header that repeats an argument', () => {
  const declared = paramHeaders({
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, n: { type: 'integer', 'x-mcp-header': 'N' } },
  })
  it.each([
    [{ region: 'eu' }, { 'mcp-param-region': 'eu' }, true],
    [{ region: 'eu' }, {}, false],
    [{ region: 'eu' }, { 'mcp-param-region': 'us' }, false],
    [{ region: 'eu' }, { 'mcp-param-region': '=?base64?*?=' }, false],
    [{ n: 42 }, { 'mcp-param-n': '42.0' }, true],
    [{ n: 42 }, { 'mcp-param-n': 'many' }, false],
    [{}, { 'mcp-param-region': 'ignored' }, true],
    [undefined, {}, true],
  ])('%j beside %j: %s', (args, headers, passes) => {
    const refused = checkParamHeaders(declared, args, headers)
    expect(refused === null).toBe(passes)
    if (refused) expect(refused).toMatchObject({ failure: { code: -32020 }, status: 400 })
  })
})
