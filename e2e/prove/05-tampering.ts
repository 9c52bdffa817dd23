import { falsifiedOffers, flippedSlots, killedWhileApplying } from '../scenarios/tampering.ts'
import { closeAll } from '../harness/cleanup.ts'
import { command, count, together, type Row } from './row.ts'

const expected: Record<string, string> = {
  'a bit of the bytes': 'HASH_MISMATCH',
  'a bit of the signature': 'BAD_SIGNATURE',
  'a bit of the signed header': 'BAD_SIGNATURE',
  'signed for another gateway': 'WRONG_GATEWAY',
  'an older generation': 'STALE_GENERATION',
}

export const row: Row = {
  asked:
    'A bit flipped in the offered bytes, in a stored slot; a header signed for another gateway; an older generation; the same offer repeated after a crash at any point: distinct reasons, nothing wrong started, never stuck',
  command: command(5),
  async run(counts) {
    // Short timers: what is shown is the verdict and not the wait.
    const offers = await falsifiedOffers()
    await closeAll()
    counts.say('tampering: offers done')
    const slots = await flippedSlots()
    await closeAll()
    counts.say('tampering: slots done')
    const kills = await killedWhileApplying({ kills: count(counts, 50, 3) })
    const served = slots.outcomes.filter(({ isServing }) => isServing).length
    return together(
      ...offers.map(({ way, reason, isServed }) => ({
        measured: `${way}: ${reason}${isServed ? ', and it was served' : ''}, next change applied`,
        ok: reason === expected[way] && !isServed,
      })),
      {
        measured: `a bit in each of ${slots.outcomes.length} stored files: serving after ${served} of them, reasons said: ${slots.reasons.join(', ') || 'none'}`,
        ok: served === slots.outcomes.length && served > 0 && slots.reasons.includes('SLOT_CORRUPT'),
      },
      {
        measured: `${kills.kills} × kill -9 while applying: stuck ${kills.stuck.length}${kills.stuck[0] ? ` (${kills.stuck[0]})` : ''}, refusals ${kills.refusals.join(', ') || 'none'}`,
        ok: kills.stuck.length === 0,
      },
    )
  },
}
