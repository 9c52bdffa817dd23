import { cloneAndStart } from '../scenarios/fresh-clone.ts'
import { laterQuickstarts } from '../bench/starts.ts'
import { command, count, together, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Fresh clone → `npm run quickstart` → a tool of server-everything called: install and build ≤ 120 s with a warm package cache; later starts ≤ 3 s to `/readyz`, ≤ 6 s to `tools/list`',
  command: command(1),
  async run(counts) {
    const fresh = await cloneAndStart(counts.say)
    const later = await laterQuickstarts(count(counts, 10, 1), counts.say)
    const seconds = (ms: number) => (ms / 1000).toFixed(2)
    return together(
      { measured: `fresh clone ${seconds(fresh.toReadyMs)} s to \`/readyz\` (install, build, start)`, ok: fresh.toReadyMs <= 120_000 },
      {
        measured: `${seconds(fresh.toCallMs)} s to the answer of \`everything__echo\`: ${fresh.answer}`,
        ok: fresh.answer === 'Echo: hello',
      },
      {
        measured: `${later.toReadyMs.rounds} later starts: \`/readyz\` after ${seconds(later.toReadyMs.median)} s, at most ${seconds(later.toReadyMs.max)} s`,
        ok: later.toReadyMs.max <= 3_000,
      },
      {
        measured: `\`tools/list\` after ${seconds(later.toToolsMs.median)} s, at most ${seconds(later.toToolsMs.max)} s`,
        ok: later.toToolsMs.max <= 6_000,
      },
    )
  },
}
