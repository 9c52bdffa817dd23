import { percentile } from '../bench/percentile.ts'
import { liveManaged } from '../scenarios/managed-lives.ts'
import { command, count, type Row } from './row.ts'

export const row: Row = {
  asked:
    'On a laptop: `quickstart`, then `provision create` → ready, its tools callable, `provision history` shows it, `provision delete` leaves no process, no row without an end, no reservation',
  command: command(27),
  async run(counts) {
    const times = count(counts, 20, 2)
    const { readyMs, typedMs, wrong } = await liveManaged({ times })
    const seconds = (samples: number[], share: number) => (percentile(samples, share) / 1000).toFixed(2)
    return {
      measured: `${times} gateways of this machine made, called and deleted: request to ready median ${seconds(readyMs, 0.5)} s, worst ${seconds(readyMs, 1)} s; as typed ${seconds(typedMs, 0.5)} and ${seconds(typedMs, 1)} s; ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0,
    }
  },
}
