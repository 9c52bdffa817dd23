import { productTimers } from '../scenarios/fleet.ts'
import { plantToken } from '../scenarios/canary.ts'
import { command, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A planted enrollment token appears in no log line, state file, argv of a process we start, API answer or page, except the one answer and the one page that hand it out',
  command: command(10),
  async run() {
    const { found, looked } = await plantToken({ env: productTimers })
    return {
      measured: `${looked} places looked at, found in ${found.length}${found.length ? `: ${found.join(', ')}` : ''}`,
      ok: found.length === 0,
    }
  },
}
