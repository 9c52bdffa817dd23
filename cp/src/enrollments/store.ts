import type { Db, Tx } from '../db/db.ts'
import { tokenSha256 } from './token.ts'

export type EnvironmentScope = { org: string; workspace: string; environment: string }

/** A row of `enrollments`, JSON columns read. */
export type Enrollment = EnvironmentScope & {
  id: string
  name: string
  gatewayName: string | null
  labels: Record<string, string>
  cidrs: string[]
  expectedInstanceUid: string | null
  maxUses: number
  usedCount: number
  createdBy: string
  createdAt: string
  expiresAt: string
  revokedAt: string | null
  /** Of a managed gateway: the operation that it was made for. */
  operationId: string | null
  /**
   * Made for the replicas of a managed gateway, `expectedInstanceUid`: its token is its id, no secret, and whoever redeems it is attested by
   * its cluster.
   */
  byAttestation: boolean
}

export type NewEnrollment = Omit<Enrollment, 'byAttestation'>

export type Redemption = {
  enrollmentId: string
  idempotencyKey: string
  spkiSha256: string
  gatewayId: string
  source: string
  createdAt: string
  confirmedAt: string | null
}

type Row = Omit<Enrollment, 'labels' | 'cidrs' | 'byAttestation'> & { labels: string; cidrs: string; tokenSha256: string }

const enrollmentOf = ({ labels, cidrs, tokenSha256: stored, ...row }: Row): Enrollment => ({
  ...row,
  byAttestation: stored === tokenSha256(row.id),
  labels: JSON.parse(labels) as Record<string, string>,
  cidrs: JSON.parse(cidrs) as string[],
})

export type EnrollmentStore = ReturnType<typeof enrollmentStore>

export function enrollmentStore({ read }: Pick<Db, 'read'>) {
  return {
    insert,
    findByToken,
    find,
    list,
    redemptionsOf,
    findRedemption,
    claim,
    insertRedemption,
    revoke,
    deleteOld,
  }

  async function insert(tx: Tx, { labels, cidrs, ...row }: NewEnrollment, sha256: string): Promise<void> {
    await tx.enrollment.create({ data: { ...row, tokenSha256: sha256, labels: JSON.stringify(labels), cidrs: JSON.stringify(cidrs) } })
  }

  async function findByToken(sha256: string): Promise<Enrollment | null> {
    const row = await read.enrollment.findUnique({ where: { tokenSha256: sha256 } })
    return row && enrollmentOf(row)
  }

  async function find(
    { org, workspace, environment }: EnvironmentScope,
    name: string,
    from: Pick<Db['read'], 'enrollment'> = read,
  ): Promise<Enrollment | null> {
    const row = await from.enrollment.findUnique({ where: { org_workspace_environment_name: { org, workspace, environment, name } } })
    return row && enrollmentOf(row)
  }

  async function list(scope: { org: string; workspace: string; environment?: string | undefined; name?: string }): Promise<Enrollment[]> {
    const rows = await read.enrollment.findMany({ where: scope, orderBy: { createdAt: 'asc' } })
    return rows.map(enrollmentOf)
  }

  async function redemptionsOf(enrollmentIds: string[]): Promise<Redemption[]> {
    return read.redemption.findMany({ where: { enrollmentId: { in: enrollmentIds } }, orderBy: { createdAt: 'asc' } })
  }

  async function findRedemption(enrollmentId: string, idempotencyKey: string): Promise<Redemption | null> {
    return read.redemption.findUnique({ where: { enrollmentId_idempotencyKey: { enrollmentId, idempotencyKey } } })
  }

  /** Takes one use of the token if one is left; false when it is used up, expired or revoked. */
  async function claim(tx: Tx, id: string, now: string): Promise<boolean> {
    const taken = await tx.$executeRaw`
      UPDATE "enrollments" SET "usedCount" = "usedCount" + 1
       WHERE "id" = ${id} AND "revokedAt" IS NULL AND "expiresAt" > ${now} AND "usedCount" < "maxUses"`
    return taken === 1
  }

  async function insertRedemption(tx: Tx, redemption: Redemption): Promise<void> {
    await tx.redemption.create({ data: redemption })
  }

  /** Voids what is left of a token; false when nothing is, or it is void already. */
  async function revoke(tx: Tx, id: string, now: string): Promise<boolean> {
    const revoked = await tx.$executeRaw`
      UPDATE "enrollments" SET "revokedAt" = ${now} WHERE "id" = ${id} AND "revokedAt" IS NULL AND "usedCount" < "maxUses"`
    return revoked === 1
  }

  /** Tokens that nobody ever used and nobody can use any more. */
  async function deleteOld(tx: Tx, expiredBefore: string): Promise<void> {
    await tx.enrollment.deleteMany({ where: { usedCount: 0, expiresAt: { lt: expiredBefore } } })
  }
}
