import { closeAll } from '../harness/cleanup.ts'
import { crashAt, crashPoints } from '../scenarios/managed-crashes.ts'
import { command, type Row } from './row.ts'

export const row: Row = {
  asked:
    'The worker killed with -9 before and after every step of create, update (in place, to several replicas and back to one) and delete, and while a creation and a change to several replicas are taken back: the operation finishes on restart or compensates; no duplicate process, no leaked reservation, no row without a workload',
  command: command(30),
  async run({ isQuick, say }) {
    const points = isQuick
      ? [
          'create/workload/after',
          'grow/rollout/after',
          'shrink/surplus_removed/after',
          'delete/revoked/after',
          'create/workload/undo/after',
        ]
      : crashPoints
    const wrong: string[] = []
    for (const point of points) {
      say(`crashes: ${point}`)
      wrong.push(...(await crashAt(point)).map((what) => `${point}: ${what}`))
      await closeAll()
    }
    return {
      measured: `killed at ${points.length} points and started again: ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0,
    }
  },
}
