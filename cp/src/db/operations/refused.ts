import type { BatchOutcome } from '../bulk.ts'

/** Thrown to roll a transaction back with an answer. */
export class Refused extends Error {
  readonly answer: BatchOutcome
  constructor(answer: BatchOutcome) {
    super(answer.outcome)
    this.answer = answer
  }
}
