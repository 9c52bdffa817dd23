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

/** Reads `/metrics` of each of these until everything is closed; says how often it was answered. */
export function scrape(urls: string[]): { answered: () => number } {
  let answered = 0
  let last = Promise.resolve()
  const timer = setInterval(() => {
    last = last.then(async () => {
      for (const url of urls) answered += Number((await fetch(`${url}/metrics`).then(async (one) => (await one.text()) && one.ok)) === true)
    })
    last.catch(() => {})
  }, scrapeEveryMs)
  closeLater(async () => {
    clearInterval(timer)
    await last.catch(() => {})
  })
  return { answered: () => answered }
}
