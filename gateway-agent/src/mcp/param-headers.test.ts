import { describe, expect, it } from 'vitest'
import { argumentText, decodeHeader, encodeHeader, paramHeaders, requestHeaders } from './param-headers.ts'

const schema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    place: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
    list: { type: 'array', items: { type: 'string', 'x-mcp-header': 'Never' } },
    bad: { type: 'string', 'x-mcp-header': 'not a token' },
    plain: { type: 'string' },
  },
}

it('finds header arguments along properties only', () => {
  expect(paramHeaders(schema)).toEqual([
    { header: 'mcp-param-region', path: ['region'], numeric: false },
    { header: 'mcp-param-count', path: ['count'], numeric: true },
    { header: 'mcp-param-city', path: ['place', 'city'], numeric: false },
  ])
  expect(paramHeaders(undefined)).toEqual([])
})

it('repeats method, name and header arguments of a call', () => {
  const params = { name: 'wetter-für', arguments: { region: ' eu', count: 3, place: { city: 'Köln' } } }
  expect(requestHeaders('tools/call', params, paramHeaders(schema))).toEqual({
    'mcp-method': 'tools/call',
    'mcp-name': `=?base64?${Buffer.from('wetter-für').toString('base64')}?=`,
    'mcp-param-region': '=?base64?IGV1?=',
    'mcp-param-count': '3',
    'mcp-param-city': `=?base64?${Buffer.from('Köln').toString('base64')}?=`,
  })
  expect(requestHeaders('resources/read', { uri: 'file:///a b' }, [])).toEqual({
    'mcp-method': 'resources/read',
    'mcp-name': 'file:///a b',
  })
  expect(requestHeaders('tools/list', undefined, [])).toEqual({ 'mcp-method': 'tools/list' })
})

describe('a header value', () => {
  it.each(['plain', 'two words', ' padded ', 'Köln', '=?base64?x?=', 'line\nbreak', ''])('comes back as it was: %j', (text) => {
    expect(decodeHeader(encodeHeader(text))).toBe(text)
  })
  it.each(['=?base64?***?=', '=?base64?/w==?=', '=?base64?YQ?='])('that is badly wrapped is refused: %s', (text) => {
    expect(decodeHeader(text)).toBeUndefined()
  })
})

it.each([
  [{ a: true }, 'true'],
  [{ a: 1.5 }, '1.5'],
  [{ a: 2 ** 60 }, undefined],
  [{ a: null }, undefined],
  [{ a: {} }, undefined],
  [{}, undefined],
])('says an argument as text: %j', (args, text) => {
  expect(argumentText(args, ['a'])).toBe(text)
})
