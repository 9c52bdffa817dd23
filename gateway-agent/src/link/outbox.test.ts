import { describe, expect, it } from 'vitest'
import { createOutbox, type Frame, type Rank } from './outbox.ts'

const heartbeat = (): Frame => ({ case: 'heartbeat', value: {} })
const status = (): Frame => ({ case: 'serverStatus', value: {} })
const inventory = (): Frame => ({ case: 'serverInventory', value: {} })
const chunk = (streamId: string): Frame => ({ case: 'logChunk', value: { streamId } })
const piece = (streamId: string): Frame => ({ case: 'mcpData', value: { streamId } })

/** What leaves when nothing more comes. */
async function left(outbox: ReturnType<typeof createOutbox>): Promise<string[]> {
  const frames = outbox.frames()
  const cases: string[] = []
  outbox.push('goodbye', () => ({ case: 'goodbye', value: {} }))
  for (;;) {
    const { value } = (await frames.next()) as IteratorResult<{ frame: Frame }, undefined>
    if (!value || value.frame.case === 'goodbye') return cases
    const { case: kind, value: body } = value.frame
    cases.push(body && 'streamId' in body && body.streamId ? `${kind} ${body.streamId}` : String(kind))
  }
}

describe('the outbox of an agent', () => {
  it('lets what waits leave by rank: heartbeat, status, inventories, MCP, logs', async () => {
    const outbox = createOutbox()
    outbox.push('logs', () => chunk('a'))
    outbox.push('mcp', () => piece('b'))
    outbox.push('inventory', inventory)
    outbox.push('status', status)
    outbox.push('heartbeat', heartbeat)
    expect(await left(outbox)).toEqual(['heartbeat', 'serverStatus', 'serverInventory', 'mcpData b', 'logChunk a'])
  })

  it('lets streams of one rank take turns, and whatever is more urgent between two of their frames', async () => {
    const outbox = createOutbox()
    const sent = { a: 0, b: 0 }
    const talk = (name: 'a' | 'b') => (): Frame => {
      if (++sent[name] < 3) outbox.push('logs', talk(name))
      if (name === 'a' && sent.a === 2) outbox.push('heartbeat', heartbeat)
      return chunk(name)
    }
    outbox.push('logs', talk('a'))
    outbox.push('logs', talk('b'))
    expect(await left(outbox)).toEqual(['logChunk a', 'logChunk b', 'logChunk a', 'heartbeat', 'logChunk b', 'logChunk a', 'logChunk b'])
  })

  it.each<Rank>(['status', 'mcp', 'logs'])('takes a bounded number of %s entries and counts the others', (rank) => {
    const outbox = createOutbox()
    let taken = 0
    while (outbox.push(rank, heartbeat)) taken++
    outbox.push(rank, heartbeat)
    expect([taken >= 256, outbox.dropped(rank), outbox.dropped('heartbeat')]).toEqual([true, 2, 0])
    expect(outbox.push('heartbeat', heartbeat)).toBe(true)
  })

  it('says what was said before its end, but no data', async () => {
    const outbox = createOutbox()
    outbox.push('mcp', () => piece('b'))
    outbox.push('status', status)
    outbox.end()
    const cases: unknown[] = []
    for await (const { frame } of outbox.frames()) cases.push(frame.case)
    expect([cases, outbox.push('status', status)]).toEqual([['serverStatus'], false])
  })
})
