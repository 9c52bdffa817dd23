/** Nearest rank over all samples, without interpolation: the answer is a value that was measured. NaN for none. */
export function percentile(samples: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export type Spread = { median: number; min: number; max: number; rounds: number }

/** The middle of the rounds and how far they lie apart; numbers rounded to `digits`. */
export function spread(rounds: number[], digits = 3): Spread {
  const round = (value: number) => Number(value.toFixed(digits))
  return {
    median: round(percentile(rounds, 0.5)),
    min: round(Math.min(...rounds)),
    max: round(Math.max(...rounds)),
    rounds: rounds.length,
  }
}
