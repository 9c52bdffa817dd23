// What a real installation has on while calls run: a secret in every server, and somebody who reads the metrics.
import type { Api } from '../harness/api.ts'
import { closeLater } from '../harness/cleanup.ts'

/** Prometheus' usual interval is 15 s; the bench asks more often, so that every round has some of it. */
const scrapeEveryMs = 1_000

const secret = { name: 'bench', key: 'token' }

/** Variables of a server that come from a secret. The secret has to be stored before the server. */
export const fromSecret = [{ name: 'BENCH_TOKEN', valueFrom: { secretRef: secret } }]

export async function storeSecret(rest: Api): Promise<void> {
  await rest.apply({ kind: 'Secret', metadata: { name: secret.name }, spec: { data: { [secret.key]: 'a value nobody needs' } } })
}

/**
 * Reads `/metrics` of each of these until `end`, which answers how many were read and throws when one was not. Nobody may stop the programs
 * before.
 */
export function scrape(urls: string[]): { end: () => Promise<number> } {
  let answered = 0
  const failures: string[] = []
  let last = Promise.resolve()
  const timer = setInterval(() => (last = last.then(readAll)), scrapeEveryMs)
  closeLater(stop)
  return {
    async end() {
      await stop()
      // A short run may end before the first of them.
      await readAll()
      if (failures.length > 0) throw new Error(`${answered} metrics were read, ${failures.length} not: ${failures[0]}`)
      return answered
    },
  }

  async function readAll(): Promise<void> {
    for (const url of urls) {
      const failure = await read(`${url}/metrics`).catch(String)
      if (failure === null) answered++
      else failures.push(`${url}: ${failure}`)
    }
  }

  async function stop(): Promise<void> {
    clearInterval(timer)
    await last
  }
}

/** What is wrong with the answer, or null. */
async function read(url: string): Promise<string | null> {
  const answer = await fetch(url)
  const text = await answer.text()
  return answer.ok && text.includes('# TYPE') ? null : `${answer.status} ${text.slice(0, 200)}`
}
