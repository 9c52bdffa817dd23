import type Database from 'better-sqlite3'
import type { ReportWrite } from './bulk.ts'

/** What the writer thread puts down of the reports of gateways: all of them in one transaction. */
export function reportWriter(database: Database.Database): (writes: ReportWrite[]) => void {
  const updateGateway = database.prepare(
    `UPDATE gateways SET connection = @connection, connectionChangedAt = @connectionChangedAt, lastSeenAt = @lastSeenAt,
     description = @description, descriptionHash = @descriptionHash, sessionEpoch = @sessionEpoch, bootId = @bootId,
     appliedHash = @appliedHash, lkgHash = @lkgHash, highestGeneration = @highestGeneration WHERE id = @id`,
  )
  const touchGateway = database.prepare('UPDATE gateways SET lastSeenAt = ? WHERE id = ?')
  // A gateway deleted meanwhile has no rows any more. WHERE also keeps SQLite from reading ON CONFLICT as a join.
  const putServer = database.prepare(
    `INSERT INTO gateway_servers (gatewayId, server, status, inventoryHash, updatedAt)
     SELECT @gatewayId, @server, @status, @inventoryHash, @updatedAt WHERE EXISTS (SELECT 1 FROM gateways WHERE id = @gatewayId)
     ON CONFLICT (gatewayId, server) DO UPDATE SET status = @status, inventoryHash = @inventoryHash, updatedAt = @updatedAt`,
  )
  const deleteServer = database.prepare('DELETE FROM gateway_servers WHERE gatewayId = ? AND server = ?')
  const putProven = database.prepare(
    `INSERT INTO gateway_servers (gatewayId, server, serverUid, provenSubHash, status, updatedAt)
     SELECT @gatewayId, @server, @serverUid, @subHash, '{}', @updatedAt WHERE EXISTS (SELECT 1 FROM gateways WHERE id = @gatewayId)
     ON CONFLICT (gatewayId, server) DO UPDATE SET serverUid = @serverUid, provenSubHash = @subHash
      WHERE gateway_servers.provenSubHash IS NOT @subHash OR gateway_servers.serverUid IS NOT @serverUid`,
  )
  const putInventory = database.prepare('INSERT INTO inventories (hash, body, createdAt) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING')
  const setAssignment = database.prepare(
    'UPDATE assignments SET state = @state, reason = @reason, message = @message, stateAt = @stateAt WHERE gatewayId = @gatewayId AND generation = @generation',
  )
  const confirmRedemption = database.prepare('UPDATE redemptions SET confirmedAt = ? WHERE gatewayId = ? AND confirmedAt IS NULL')
  const putEvent = database.prepare(
    `INSERT INTO events (id, scope, environment, kind, name, reason, warning, message, server, gateway, count, firstAt, lastAt)
     VALUES (@id, @scope, @environment, @kind, @name, @reason, @warning, @message, @server, @gateway, @count, @firstAt, @lastAt)
     ON CONFLICT (id) DO UPDATE SET message = @message, count = @count, lastAt = @lastAt`,
  )
  const deleteEvent = database.prepare('DELETE FROM events WHERE id = ?')
  const inTransaction = database.transaction((writes: ReportWrite[]) => {
    for (const write of writes) put(write)
  })
  return (writes) => inTransaction.immediate(writes)

  function put(write: ReportWrite): void {
    switch (write.op) {
      case 'gateway':
        return void updateGateway.run({ id: write.id, ...write.values })
      case 'lastSeen':
        for (const id of write.ids) touchGateway.run(write.at, id)
        return
      case 'server':
        return void putServer.run(write)
      case 'serverGone':
        return void deleteServer.run(write.gatewayId, write.server)
      case 'proven':
        for (const server of write.servers) putProven.run({ ...server, gatewayId: write.gatewayId, updatedAt: write.updatedAt })
        return
      case 'inventory':
        return void putInventory.run(write.hash, write.body, write.createdAt)
      case 'assignment':
        return void setAssignment.run(write)
      case 'confirmed':
        return void confirmRedemption.run(write.at, write.gatewayId)
      case 'event':
        // SQLite has no booleans to bind.
        return void putEvent.run({ ...write.row, warning: write.row.warning ? 1 : 0 })
      case 'eventGone':
        return void deleteEvent.run(write.id)
    }
  }
}
