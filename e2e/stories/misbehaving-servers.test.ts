import { beforeAll, expect, it } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { fastTimers } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, serverUrl, startFleet } from '../scenarios/fleet.ts'

let gateway: { endpoint: string }

beforeAll(async () => {
  await shareWithFile(async () => {
    ;({ gateway } = await startFleet(
      [
        fixture('good', 'echo'),
        fixture('non-json', 'prints-non-json'),
        fixture('twice', 'answers-twice'),
        fixture('floods', 'floods', [], { callTimeout: '2s' }),
        fixture('hangs', 'hangs-on-call', [], { callTimeout: '1s' }),
      ],
      { MCPG_TIMERS: fastTimers },
    ))
  })
}, 120_000)

const open = (server: string) => legacySession(serverUrl(gateway, server))
const text = (result: Record<string, unknown>) => (result['content'] as { text: string }[])[0]?.text ?? ''

it('serves one that prints what is no JSON between its answers', async () => {
  const session = await open('non-json')
  expect(text(await session.call('echo', { text: 'still here' }))).toBe('still here')
  await session.close()
})

it('gives the first of two answers, to the caller who asked', async () => {
  const session = await open('twice')
  const texts = Array.from({ length: 10 }, (_, index) => `call ${index}`)
  expect(await Promise.all(texts.map(async (one) => text(await session.call('echo', { text: one }))))).toEqual(texts)
  await session.close()
})

it('ends a call that is never answered at its timeout, and the next one works', async () => {
  const session = await open('hangs')
  const result = await session.call('hang')
  expect(result['isError']).toBe(true)
  expect(text(result)).toMatch(/timeout|timed out|did not answer/i)
  expect(text(await session.call('echo', { text: 'next' }))).toBe('next')
  await session.close()
})

it.each(['line', 'unended', 'endless'])('survives a flood (%s) with its neighbors serving, and the server comes back', async (kind) => {
  const [good, floods] = await Promise.all([open('good'), open('floods')])
  const flood = floods.call('flood', { kind })
  for (let n = 0; n < 20; n++) expect(text(await good.call('echo', { text: String(n) }))).toBe(String(n))
  expect((await flood)['isError']).toBe(true)
  await until('it serves again', async () => text(await floods.call('echo', { text: 'back' })) === 'back')
  await Promise.all([good.close(), floods.close()])
})
