import { describe, expect, it } from 'vitest'
import type { McpOutcome } from '../mcp/connection.ts'
import type { Era } from '../mcp/connection.ts'
import { shapeOutcome } from './result-text.ts'

const serverInfo = { name: 's', version: '1' }
const infoKey = 'io.modelcontextprotocol/serverInfo'

function shape(client: Era, server: Era, outcome: McpOutcome, method = 'tools/call', changed = false) {
  const shaped = shapeOutcome(outcome, { client, server, method, serverInfo, changed })
  return 'json' in shaped ? { result: JSON.parse(shaped.json) as unknown, json: shaped.json } : shaped
}

/** As a connection hands it on: parsed, and with its text. */
function answered(json: string): McpOutcome {
  return { result: JSON.parse(json) as Record<string, unknown>, json }
}

it('hands the text of a result on untouched where both sides speak one era', () => {
  const json = '{ "content" : [], "odd":1.0 }'
  expect(shape('legacy', 'legacy', answered(json))).toMatchObject({ json })
  expect(shape('modern', 'modern', answered('{"resultType":"input_required","inputRequests":{"k":{}},"requestState":"s"}'))).toMatchObject({
    json: '{"resultType":"input_required","inputRequests":{"k":{}},"requestState":"s"}',
  })
})

it('writes a result anew when it was altered', () => {
  const outcome = answered('{"contents":[{"uri":"a"}]}')
  ;(outcome as { result: { contents: { uri: string }[] } }).result.contents[0]!.uri = 'b'
  expect(shape('legacy', 'legacy', outcome, 'resources/read', true)).toMatchObject({ json: '{"contents":[{"uri":"b"}]}' })
})

describe('a legacy result for a modern client', () => {
  it('gets its type and the name of the server', () => {
    expect(shape('modern', 'legacy', answered('{"content":[]}'))).toMatchObject({
      result: { content: [], resultType: 'complete', _meta: { [infoKey]: serverInfo } },
    })
    expect(shape('modern', 'legacy', answered('{}'))).toMatchObject({ result: { resultType: 'complete' } })
    expect(shape('modern', 'legacy', answered('{"_meta":{"x":1},"content":[]}'))).toMatchObject({
      result: { _meta: { x: 1, [infoKey]: serverInfo } },
    })
  })

  it('may not be kept when it is the content of a resource', () => {
    expect(shape('modern', 'legacy', answered('{"contents":[]}'), 'resources/read')).toMatchObject({
      result: { ttlMs: 0, cacheScope: 'private' },
    })
  })
})

describe('a modern result for a legacy client', () => {
  it('loses what the legacy era does not know', () => {
    const json = `{"contents":[],"resultType":"complete","ttlMs":5,"cacheScope":"public","_meta":{"${infoKey}":{},"own":1}}`
    expect(shape('legacy', 'modern', answered(json), 'resources/read')).toMatchObject({ json: '{"contents":[],"_meta":{"own":1}}' })
  })

  it('that asks for input says honestly that it cannot', () => {
    const asking = answered('{"resultType":"input_required","inputRequests":{}}')
    expect(shape('legacy', 'modern', asking)).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining('2026-07-28') }] },
    })
    expect(shape('legacy', 'modern', asking, 'prompts/get')).toMatchObject({ failure: { code: -32603 } })
  })
})

describe('an error of a server', () => {
  it.each([
    ['modern', -32002, -32602, 200],
    ['modern', -32601, -32601, 404],
    ['modern', -32021, -32021, 400],
    ['modern', -32020, -32020, 200],
    ['modern', 7, 7, 200],
    ['legacy', -32002, -32002, 200],
    ['legacy', -32601, -32601, 200],
  ] as const)('reaches a %s client: %i as %i with HTTP %i', (client, code, seen, status) => {
    expect(shape(client, 'legacy', { error: { code, message: 'm' } }, 'resources/read')).toMatchObject({
      failure: { code: seen, message: 'm' },
      status,
    })
  })

  it('that a client cannot be asked becomes a result a model can read in the legacy era', () => {
    expect(shape('legacy', 'modern', { error: { code: -32021, message: 'needs sampling' } })).toMatchObject({ result: { isError: true } })
  })
})
