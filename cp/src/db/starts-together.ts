import type { OperationStart, StartOutcome } from './bulk.ts'
import { databaseFailure } from './failures.ts'

/** Of one transaction; who comes after it waits for no more than these. */
const mostTogether = 100

type Waiting = { start: OperationStart; resolve: (outcome: StartOutcome) => void; reject: (error: unknown) => void }

/**
 * Starts that wait for the door go through it together with the first of them. A start that the database refuses takes nobody with it: then
 * each is written alone.
 */
export function startsTogether({
  inTurn,
  write,
}: {
  inTurn: (work: () => Promise<void>) => Promise<void>
  write: (starts: OperationStart[]) => Promise<StartOutcome[]>
}): (start: OperationStart) => Promise<StartOutcome> {
  const waiting = new Set<Waiting>()
  return async (start) => {
    const { promise, resolve, reject } = Promise.withResolvers<StartOutcome>()
    const mine = { start, resolve, reject }
    waiting.add(mine)
    inTurn(async () => {
      if (waiting.has(mine)) await writeGroup([...waiting].slice(0, mostTogether))
    }).catch((error: unknown) => {
      waiting.delete(mine)
      reject(error)
    })
    return await promise
  }

  async function writeGroup(group: Waiting[]): Promise<void> {
    for (const one of group) waiting.delete(one)
    try {
      const outcomes = await write(group.map(({ start }) => start))
      for (const [index, { resolve }] of group.entries()) resolve(outcomes[index]!)
    } catch (error) {
      const failure = databaseFailure(error)
      if (group.length > 1 && !failure) for (const one of group) await writeGroup([one])
      else for (const { reject } of group) reject(failure ?? error)
    }
  }
}
