import { askEverything } from '../rest-contract/contract.ts'
import { command, count, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Property tests from the schemas (generated valid and mutated input per operation): documented status, body matches its schema, every non-2xx a problem document, no 5xx, no secret',
  command: command(23),
  async run(counts) {
    const seed = Date.now() % 1_000_000
    const { operations, requests, succeeded, wrong } = await askEverything({ runs: count(counts, 100, 3), seed })
    return {
      measured: `${operations} operations, ${requests} requests (seed ${seed}), ${succeeded} operations also succeeded, ${wrong.length} wrong${wrong.length ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0 && succeeded > operations / 3,
    }
  },
}
