import { badInput } from '../scenarios/managed-bad-input.ts'
import { onBoth } from './engines.ts'
import { command, type Counts, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Bad input about managed gateways: duplicate names with other values, a kubeconfig with files of another machine, expired token, wrong authority, terminating namespace, names over 63, zero and negative numbers, a region typo, unknown uid (exit 5), cancel after ready (exit 6): exit code and message of the command line, problem document of REST with all violations, nothing left behind',
  command: command(33),
  run: (counts) => onBoth(counts, (engine, postgres) => on(engine, postgres, counts)),
}

async function on(engine: string, postgres: string | null, counts: Counts): Promise<Outcome> {
  const { asked, wrong } = await badInput({ postgres, isQuick: counts.isQuick, say: counts.say })
  return {
    measured: `${engine}: ${asked} refusals read, ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
    ok: wrong.length === 0,
  }
}
