import { cases, startWorld } from '../scenarios/issuer-sign-in.ts'
import { whyNoShiftedClock } from '../harness/clock.ts'
import { command, count, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Sign-in against a real OpenID provider: PKCE, pasted code, device flow, refresh under concurrent CLI processes, expired refresh, wrong issuer, clock skew, revoked session; exit codes as published',
  command: command(21),
  async run(counts) {
    const rounds = count(counts, 20, 1)
    const noClock = whyNoShiftedClock()
    if (noClock !== null) counts.say(`no clock can be shifted here: ${noClock}`)
    const all = Object.entries(cases({ rounds }))
    const world = await startWorld()
    const wrong: string[] = []
    for (const [name, run] of all) {
      counts.say(name)
      await run(world).catch((error: unknown) => wrong.push(`${name}: ${(error as Error).message.split('\n')[0]}`))
    }
    const { granted, refused } = world.issuer.refreshes
    return {
      measured: `${all.length - wrong.length} of ${all.length} cases (${all.map(([name]) => name).join(', ')}), ${rounds} rounds of 2 and of 3 commands at once, ${granted} refreshes, ${refused} refused as they should${wrong.length ? `; wrong: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0,
    }
  },
}
