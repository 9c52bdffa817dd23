import { describe, expect, it } from 'vitest'
import { toolRequest } from './request.ts'

const base = { id: 1, tool: 'echo', schema: {}, args: {}, mayAsk: false }

describe('request of a tool call', () => {
  it('says everything in one message, and the headers say the same', () => {
    const { headers, body } = toolRequest({ ...base, args: { message: 'hi' }, mayAsk: true })
    expect(headers).toEqual({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' })
    expect(body).toMatchObject({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'hi' } } })
    expect(body.params._meta).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {} },
    })
  })

  it('declares nothing where nobody answers', () => {
    expect(toolRequest(base).body.params._meta).toMatchObject({ 'io.modelcontextprotocol/clientCapabilities': {} })
  })

  it('carries answers with the state they belong to, to the byte', () => {
    const { params } = toolRequest({ ...base, inputResponses: { a: { action: 'decline' } }, requestState: ' s=' }).body
    expect(params).toMatchObject({ inputResponses: { a: { action: 'decline' } }, requestState: ' s=' })
    expect('requestState' in toolRequest(base).body.params).toBe(false)
  })

  it('repeats arguments in headers where the schema says so, wrapped where a header could not hold them', () => {
    const schema = {
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        inner: { properties: { n: { type: 'integer', 'x-mcp-header': 'N' } } },
        bad: { 'x-mcp-header': 'a b' },
        list: { 'x-mcp-header': 'List' },
      },
    }
    const args = { region: 'Köln', inner: { n: 3 }, bad: 'x', list: [1] }
    expect(toolRequest({ ...base, tool: 'naïve', schema, args }).headers).toMatchObject({
      'mcp-name': '=?base64?bmHDr3Zl?=',
      'mcp-param-region': '=?base64?S8O2bG4=?=',
      'mcp-param-n': '3',
    })
    expect(Object.keys(toolRequest({ ...base, schema, args }).headers)).toHaveLength(5)
  })
})
