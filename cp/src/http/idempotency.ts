import type { FastifyRequest } from 'fastify'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Db, KeptAnswer } from '../db/db.ts'
import type { Keys } from '../keys/keys.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Chore } from '../keeper.ts'
import { callerOf } from './access-rules.ts'

export type Idempotency = ReturnType<typeof idempotency>

/**
 * The answer as it is kept for the key of a request, for work that writes it with what it begins, so that a process which ends before it has
 * answered answers the same after its restart. Null without a key.
 */
export type AnswerToKeep = ((answer: unknown) => KeptAnswer) | null

const keptMs = 24 * 3_600_000
const maxSecretAnswers = 10_000

/**
 * `Idempotency-Key` of a POST that starts work: the same key with the same body gets the first answer again, for 24 h; with another
 * body 422. Failures are not kept. Answers that hold a secret are kept in memory only, so a restart forgets those.
 */
export function idempotency({ db, keys, clock }: { db: Db; keys: Pick<Keys, 'fingerprint'>; clock: Clock }) {
  const running = new Map<string, Promise<unknown>>()
  const secretAnswers = new Map<string, { requestDigest: string; answer: unknown; at: number }>()
  return { once, chore: { name: 'idempotency keys', run: prune } satisfies Chore }

  /**
   * Answers a POST by `work`, or by what it answered to the same key of the same caller on the same path. A POST that changes nothing
   * the second time (revoke, stop) needs no key.
   */
  async function once<Body>(
    request: FastifyRequest,
    work: (toKeep: AnswerToKeep) => Promise<Body>,
    { secret = false }: { secret?: boolean } = {},
  ): Promise<Body> {
    const key = request.headers['idempotency-key']
    if (key === undefined) return work(null)
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
      throw new McpgError('invalid', 'idempotency_key_malformed', 'Idempotency-Key must be 1-255 printable characters without blanks.')
    // Keyed: a body may hold a secret, and a plain hash of a short one tells it.
    const requestDigest = keys.fingerprint(JSON.stringify(request.body ?? null))
    // No NUL between them: text of PostgreSQL has none.
    const { subject, impersonator } = callerOf(request)
    const scope = `${impersonator === undefined ? subject : `${subject} by ${impersonator}`}
${request.method} ${request.url}`
    const id = `${scope}
${key}`
    // A second request with the key waits for the first instead of starting the work again.
    for (let before = running.get(id); before; before = running.get(id)) await before.catch(() => {})
    const first = perform(scope, key, id, requestDigest, secret, work)
    running.set(id, first)
    return (await first.finally(() => running.delete(id))) as Body
  }

  async function perform(
    scope: string,
    key: string,
    id: string,
    requestDigest: string,
    secret: boolean,
    work: (toKeep: AnswerToKeep) => Promise<unknown>,
  ): Promise<unknown> {
    const known = secret ? findSecret(id) : await find(scope, key)
    if (known && known.requestDigest !== requestDigest)
      throw new McpgError('invalid', 'idempotency_key_reused', 'This Idempotency-Key was used with another body.', {
        status: 422,
        hint: 'Send a new key with a new request.',
      })
    if (known) return known.answer
    let isKept = false
    const answer = await work((early) => {
      isKept = true
      return keptAnswer(scope, key, requestDigest, early)
    })
    if (secret) keepSecret(id, requestDigest, answer)
    else if (!isKept) await keep(keptAnswer(scope, key, requestDigest, answer))
    return answer
  }

  async function find(scope: string, key: string) {
    const row = await db.read.idempotencyKey.findUnique({ where: { scope_key: { scope, key } } })
    if (!row || row.createdAt < oldest()) return null
    return { requestDigest: row.requestDigest, answer: JSON.parse(row.body) as unknown }
  }

  async function keep({ scope, key, ...row }: KeptAnswer): Promise<void> {
    await db.write((tx) => tx.idempotencyKey.upsert({ where: { scope_key: { scope, key } }, create: { scope, key, ...row }, update: row }))
  }

  function keptAnswer(scope: string, key: string, requestDigest: string, answer: unknown): KeptAnswer {
    return { scope, key, requestDigest, body: JSON.stringify(answer), createdAt: new Date(clock.now()).toISOString() }
  }

  async function prune(stopping: AbortSignal): Promise<void> {
    const where = { createdAt: { lt: oldest() } }
    await removeInPortions(db, stopping, (tx, limit) => tx.idempotencyKey.deleteMany({ where, limit }))
  }

  function findSecret(id: string) {
    const known = secretAnswers.get(id)
    return known && known.at > clock.now() - keptMs ? known : null
  }

  function keepSecret(id: string, requestDigest: string, answer: unknown): void {
    // The oldest first, as a Map keeps the order of insertion.
    for (const [old, { at }] of secretAnswers)
      if (at <= clock.now() - keptMs || secretAnswers.size >= maxSecretAnswers) secretAnswers.delete(old)
      else break
    secretAnswers.set(id, { requestDigest, answer, at: clock.now() })
  }

  function oldest(): string {
    return new Date(clock.now() - keptMs).toISOString()
  }
}
