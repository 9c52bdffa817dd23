import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysIn, textIn, until } from '../test-endpoint.ts'
import { everythingAsked, startAsking } from './test-asking.ts'

let gateway: Awaited<ReturnType<typeof startAsking>>
const instances = () => gateway.supervisor.servers.report()[0]!.instances

beforeAll(async () => {
  gateway = await startAsking()
})
afterAll(() => gateway.stop())

describe('what a server shows only to clients that can be asked', () => {
  it('is listed to them and not to others, in both eras, from their own processes', async () => {
    const plain = await gateway.legacy('/mcp/servers/asks')
    const session = await gateway.session(everythingAsked)
    expect(await gateway.caller('ada').list()).toContain('only-when-asked')
    expect(keysIn(await session.call('tools/list'), 'tools')).toContain('only-when-asked')
    expect(keysIn(await plain.call('tools/list'), 'tools')).not.toContain('only-when-asked')
    expect(await gateway.caller('plain', {}).list()).not.toContain('only-when-asked')
    // The second of the two read what the first had found.
    expect(instances().map(({ belongsTo }) => belongsTo)).toEqual([undefined, 'caller'])
  })

  it('is listed and can be called at the endpoint of all servers too', async () => {
    const ada = gateway.caller('ada', { elicitation: {} }, '/mcp')
    await until(async () => (await ada.list()).includes('asks__only-when-asked'))
    expect(await gateway.caller('plain', {}, '/mcp').list()).not.toContain('asks__only-when-asked')
    expect(textIn(await ada.complete('asks__ask', { text: 'x' }))).toContain('to x')
  })

  it('can be called there by a client that has not listed anything since the gateway was started', async () => {
    const fresh = await startAsking()
    try {
      const answer = await fresh.caller('ada', { elicitation: {} }, '/mcp').tool('asks__only-when-asked')
      expect(answer.error?.message ?? textIn(answer)).not.toMatch(/Unknown tool/)
    } finally {
      await fresh.stop()
    }
  })
})
