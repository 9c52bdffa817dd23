import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { SessionFacts } from '../access/principal.ts'
import type { Db, Tx } from '../db/db.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Chore } from '../keeper.ts'

/** "Defaults and limits": 30 d whatever happens, 7 d without a request. */
const absoluteMs = 30 * 86_400_000
const idleMs = 7 * 86_400_000
/** A use is written down no more often than this, so that reading costs no write. */
const touchMs = 5 * 60_000

export type SignedInBy = 'local' | 'oidc'
export type SessionTimes = Pick<SessionFacts, 'createdAt' | 'expiresAt' | 'idleUntil'>
export type LiveSession = SessionFacts & { mode: string; groups: string[] }
export type Sessions = ReturnType<typeof sessionStore>

/** Sign-ins that last: 256 random bits in a cookie, of which only the hash is kept. */
export function sessionStore({ db, clock }: { db: Pick<Db, 'read' | 'write'>; clock: Clock }) {
  return { create, find, end, endAll, chore: { name: 'sessions', run: prune } satisfies Chore }

  /** The answer is the id; nobody can read it again. */
  async function create(
    tx: Tx,
    { accountId, mode, groups, source }: { accountId: string; mode: SignedInBy; groups: readonly string[]; source: string },
  ): Promise<{ id: string; times: SessionTimes }> {
    const id = randomBytes(32).toString('base64url')
    const now = clock.now()
    const row = { createdAt: iso(now), lastSeenAt: iso(now), expiresAt: iso(now + absoluteMs) }
    await tx.session.create({ data: { idSha256: sha256(id), accountId, mode, groups: JSON.stringify(groups), source, ...row } })
    return { id, times: timesOf(row) }
  }

  /** Null for one that is unknown, ended or past its time. */
  async function find(id: string): Promise<LiveSession | null> {
    const row = await db.read.session.findUnique({ where: { idSha256: sha256(id) } })
    if (!row) return null
    const times = timesOf(row)
    const now = clock.now()
    if (now >= Date.parse(times.expiresAt) || now >= Date.parse(times.idleUntil)) return null
    if (now - Date.parse(row.lastSeenAt) >= touchMs)
      await db.write((tx) => tx.session.updateMany({ where: { idSha256: row.idSha256 }, data: { lastSeenAt: iso(now) } }))
    return { ...times, idSha256: row.idSha256, accountId: row.accountId, mode: row.mode, groups: JSON.parse(row.groups) as string[] }
  }

  async function end(tx: Tx, idSha256: string): Promise<void> {
    await tx.session.deleteMany({ where: { idSha256 } })
  }

  async function endAll(tx: Tx, accountId: string): Promise<number> {
    return (await tx.session.deleteMany({ where: { accountId } })).count
  }

  async function prune(stopping: AbortSignal): Promise<void> {
    const now = clock.now()
    const where = { OR: [{ expiresAt: { lt: iso(now) } }, { lastSeenAt: { lt: iso(now - idleMs) } }] }
    await removeInPortions(db, stopping, (tx, limit) => tx.session.deleteMany({ where, limit }))
  }
}

const timesOf = ({ createdAt, lastSeenAt, expiresAt }: { createdAt: string; lastSeenAt: string; expiresAt: string }): SessionTimes => ({
  createdAt,
  expiresAt,
  idleUntil: iso(Math.min(Date.parse(lastSeenAt) + idleMs, Date.parse(expiresAt))),
})

const iso = (ms: number): string => new Date(ms).toISOString()
const sha256 = (id: string): string => createHash('sha256').update(id).digest('hex')
