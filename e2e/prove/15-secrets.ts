import { productTimers } from '../scenarios/fleet.ts'
import { plantSecret } from '../scenarios/planted-secret.ts'
import { askForOthers, restartOffline, rotate } from '../scenarios/secrets.ts'
import { percentile } from '../bench/percentile.ts'
import { command, count, together, type Row } from './row.ts'

const goalMs = 2_000

export const row: Row = {
  asked:
    'A planted secret is found nowhere but in the audited reveal, also after kill -9; a gateway that asks for a secret it has no reference to is refused and that is written down; a rotation restarts exactly the servers that use the key, within 2 s plus the server’s own start; offline and after a rollback servers start with the values of their slot',
  command: command(15),
  async run(counts) {
    const planted = await plantSecret({ env: productTimers })
    counts.say('planted')
    const asked = await askForOthers({ env: productTimers })
    counts.say('asked')
    const { milliseconds, isRestarted, areOthersUntouched } = await rotate({
      rounds: count(counts, 20, 2),
      env: { MCPG_TIMERS: 'probation=1000' },
    })
    counts.say('rotated')
    const offline = await restartOffline({ env: { MCPG_TIMERS: 'probation=1000' } })
    const worst = Math.max(...milliseconds)
    return together(
      {
        measured: `${planted.looked} places looked at, found in ${planted.found.length}${planted.found.length ? `: ${planted.found.join(', ')}` : ''}; revealed: ${planted.isRevealed ? 'yes' : 'no'}`,
        ok: planted.found.length === 0 && planted.isRevealed,
      },
      {
        measured: `without a reference: ${asked.areRefused ? 'refused' : 'answered'}, ${asked.isAudited ? 'audited' : 'not audited'}`,
        ok: asked.areRefused && asked.isAudited,
      },
      {
        measured: `${milliseconds.length} rotations, from the command to the new value beyond the server’s own start: p50 ${Math.round(percentile(milliseconds, 0.5))} ms, worst ${Math.round(worst)} ms; others ${areOthersUntouched ? 'untouched' : 'restarted'}`,
        ok: worst <= goalMs && isRestarted && areOthersUntouched,
      },
      {
        measured: `offline: ${offline.newest}, after a rollback: ${offline.afterRollback}`,
        ok: offline.newest === 'third-token' && offline.afterRollback === 'first-token',
      },
    )
  },
}
