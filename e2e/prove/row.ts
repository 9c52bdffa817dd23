import type { Goal } from '../bench/calls.ts'

/** One row of the table. `measured` says the figures, and on failure what was wrong; nothing is rounded towards the goal. */
export type Row = { asked: string; command: string; run(counts: Counts): Promise<Outcome> }
export type Outcome = { measured: string; ok: boolean }

/** Quick counts show that a row works; the published figures are those of the full ones. */
export type Counts = { isQuick: boolean; say: (line: string) => void }

/** Full count, or the small one. */
export const count = ({ isQuick }: Counts, full: number, small: number) => (isQuick ? small : full)

export const command = (number: number) => `npm run prove -- ${number}`

/** Outcomes of parts of a row, in one. */
export function together(...parts: Outcome[]): Outcome {
  return { measured: parts.map(({ measured, ok }) => (ok ? measured : `**${measured}**`)).join('; '), ok: parts.every(({ ok }) => ok) }
}

/** The goals of a bench as one outcome. */
export const goalsOf = (goals: Goal[]): Outcome => ({
  measured: goals.map(({ goal, measured, unit, ok }) => `${goal}: ${ok ? measured : `**${measured}**`} ${unit}`).join('; '),
  ok: goals.every(({ ok }) => ok),
})
