import { expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { CallRights } from './rights.ts'
import { callStandings } from './standing.ts'

const void401 = () => new McpgError('unauthenticated', 'token_revoked', 'This token was revoked.')
const toServer = (...names: string[]): CallRights => ({ grants: names.map((name) => ({ on: 'servers' as const, names: [name] })) })

/** A call whose caller may do what `now` says. */
function standing(rights: CallRights = 'all') {
  const clock = fakeClock()
  const standings = callStandings({ clock })
  const state = { now: rights as CallRights | McpgError, asked: 0 }
  const begin = (shown = 'a token') => {
    const cuts: string[] = []
    const release = standings.hold({
      shown,
      callerNow: async () => {
        state.asked++
        if (state.now instanceof McpgError) throw state.now
        return { subject: 'ada' } as Caller
      },
      rights,
      rightsOf: () => state.now as CallRights,
      cut: ({ reason }) => {
        cuts.push(reason)
        release()
      },
    })
    return { cuts, release }
  }
  return { clock, state, begin }
}

it('cuts a call within a second of the end of what let its caller in', async () => {
  const { clock, state, begin } = standing()
  const { cuts } = begin()
  await clock.advance(10_000)
  expect(cuts).toEqual([])
  state.now = void401()
  await clock.advance(1_000)
  expect(cuts).toEqual(['token_revoked'])
})

it.each<[string, CallRights, CallRights, string[]]>([
  ['everything, now a part', 'all', toServer('files'), ['not_allowed']],
  ['a part, now nothing', toServer('files'), 'none', ['not_allowed']],
  ['two, now one of them', toServer('files', 'web'), toServer('web'), ['not_allowed']],
  ['one, now two', toServer('web'), toServer('files', 'web'), []],
  ['a part, now everything', toServer('web'), 'all', []],
])('judges a right to %s', async (_, before, now, expected) => {
  const { clock, state, begin } = standing(before)
  const { cuts, release } = begin()
  state.now = now
  await clock.advance(2_000)
  expect(cuts).toEqual(expected)
  release()
})

it('lets a call go on while nobody can tell', async () => {
  const { clock, state, begin } = standing()
  const { cuts, release } = begin()
  state.now = new McpgError('unavailable', 'issuer_unreachable', 'The issuer is away.')
  await clock.advance(5_000)
  expect(cuts).toEqual([])
  release()
})

it('asks once for all calls that show the same, and nobody once none is under way', async () => {
  const { clock, state, begin } = standing()
  const calls = [begin(), begin(), begin('another token')]
  await clock.advance(500)
  expect(state.asked).toBe(2)
  for (const { release } of calls) release()
  await clock.advance(5_000)
  expect(state.asked).toBe(2)
  begin().release()
  const { cuts } = begin()
  state.now = void401()
  await clock.advance(500)
  expect([state.asked, cuts]).toEqual([3, ['token_revoked']])
})
