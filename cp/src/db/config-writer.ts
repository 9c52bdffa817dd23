import type Database from 'better-sqlite3'
import type { ConfigBatch, HoldRow } from './bulk.ts'

/** What the writer thread puts down for the compiler; each function is one transaction. */
export function configWriter(database: Database.Database) {
  const deleteHolds = database.prepare('DELETE FROM server_holds WHERE gatewayId = ? AND serverUid = ?')
  const deleteAssignment = database.prepare('DELETE FROM assignments WHERE gatewayId = ? AND generation = ?')
  const insertDocument = database.prepare('INSERT INTO configs (hash, bytes, createdAt) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING')
  const insertRevision = database.prepare(
    'INSERT INTO server_revisions (serverUid, subHash, entry, createdAt) VALUES (?, ?, ?, ?) ON CONFLICT (serverUid, subHash) DO NOTHING',
  )
  const insertAssignment = database.prepare(
    `INSERT INTO assignments (gatewayId, generation, configHash, signedHeader, signature, signingKeyId, probationMs, force, changeSeq, createdAt,
     state, reason, message, stateAt, cause) VALUES (@gatewayId, @generation, @configHash, @signedHeader, @signature, @signingKeyId, @probationMs,
     @force, @changeSeq, @createdAt, @state, @reason, @message, @stateAt, @cause)`,
  )
  const insertHold = database.prepare(
    `INSERT INTO server_holds (gatewayId, serverUid, subHash, server, reason, message, since, evidence)
     VALUES (@gatewayId, @serverUid, @subHash, @server, @reason, @message, @since, @evidence)
     ON CONFLICT (gatewayId, serverUid, subHash) DO NOTHING`,
  )
  const forgetGenerations = database.prepare(
    `DELETE FROM assignments WHERE gatewayId = @gatewayId AND generation <= @generation AND configHash NOT IN
     (SELECT appliedHash FROM gateways WHERE id = @gatewayId AND appliedHash IS NOT NULL
      UNION SELECT lkgHash FROM gateways WHERE id = @gatewayId AND lkgHash IS NOT NULL)`,
  )
  const forgetDocuments = database.prepare(
    `DELETE FROM configs
      WHERE NOT EXISTS (SELECT 1 FROM assignments a WHERE a.configHash = configs.hash)
        AND NOT EXISTS (SELECT 1 FROM gateways g WHERE g.appliedHash = configs.hash OR g.lkgHash = configs.hash)`,
  )
  const recordInTransaction = database.transaction(({ at, lifted, replaced, documents, revisions, assignments, prune }: ConfigBatch) => {
    for (const { gatewayId, serverUid } of lifted) deleteHolds.run(gatewayId, serverUid)
    for (const { gatewayId, generation } of replaced) deleteAssignment.run(gatewayId, generation)
    for (const { hash, bytes } of documents) insertDocument.run(hash, bytes, at)
    for (const { serverUid, subHash, entry } of revisions) insertRevision.run(serverUid, subHash, entry, at)
    for (const row of assignments) insertAssignment.run({ ...row, force: row.force ? 1 : 0 })
    // Never what a gateway runs or may fall back to.
    for (const { gatewayId, generation } of prune.gateways) forgetGenerations.run({ gatewayId, generation: generation - prune.keep })
    if (prune.gateways.length > 0) forgetDocuments.run()
  })
  const insertHoldsInTransaction = database.transaction((rows: HoldRow[]) => {
    for (const row of rows) insertHold.run(row)
  })
  return {
    record: (batch: ConfigBatch): void => recordInTransaction.immediate(batch),
    insertHolds: (rows: HoldRow[]): void => insertHoldsInTransaction.immediate(rows),
  }
}
