import { create } from '@bufbuild/protobuf'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { AuditAckSchema, type AuditBatch } from '@mcpg/proto/gen/delivery'
import { gatewayCaller } from '../access/caller.ts'
import type { Db, GatewayAuditBatch, GatewayAuditRow } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import type { Line, Talk } from '../link/service.ts'
import { turn } from '../turns.ts'
import type { Audit } from './audit.ts'
import { gatewayLink, runText, type UnsignedRun } from './gateway-chain.ts'
import { storedEvent } from './gateway-event.ts'
import type { GatewayRuns } from './gateway-runs.ts'

/** As `AuditBatch` has it. */
const maxEvents = 500
/** Batches of one gateway that may wait; it sends one and waits for the answer. */
const maxWaiting = 4
/** Rows of one transaction, so that nothing else waits long. */
const perWrite = 1_000
const gatherMs = 10

/** Ids of tokens that were used at a gateway of a workspace, with the time of the latest use in milliseconds since 1970. */
type TokenUsesListener = (within: { org: string; workspace: string }, uses: ReadonlyMap<string, number>) => void

/**
 * Takes the events of gateways: what is here already vanishes by its number, what is missing stays a hole, and the last of every batch is
 * signed. A gateway forgets what was acknowledged, so that is said once it is on disk.
 */
export function gatewayIntake({
  db,
  key,
  runs,
  registry,
  audit,
  clock,
  log,
}: {
  db: Pick<Db, 'appendGatewayAudit'>
  key: AuditKey
  runs: GatewayRuns
  registry: Pick<Registry, 'get'>
  audit: Pick<Audit, 'row' | 'append'>
  clock: Clock
  log: Pick<Log, 'warn'>
}): Talk & { onTokenUses: (listener: TokenUsesListener) => void } {
  const listeners: TokenUsesListener[] = []
  const waiting = new Map<string, number>()
  let group: (GatewayAuditBatch & { written: Promise<void> }) | null = null
  let writing: Promise<void> = Promise.resolve()
  return {
    frames: ['auditBatch'],
    heard(line, frame) {
      if (frame.case === 'auditBatch') inTurn(line, frame.value)
    },
    closed() {},
    onTokenUses: (listener) => void listeners.push(listener),
  }

  function inTurn(line: Line, batch: AuditBatch): void {
    const { gatewayId } = line
    const count = waiting.get(gatewayId) ?? 0
    // It is sent again, since nobody acknowledges it.
    if (count >= maxWaiting) return
    waiting.set(gatewayId, count + 1)
    runs
      .inTurn(gatewayId, () => take(line, batch))
      .catch((error: unknown) => {
        // Read again from the database: it may have been written all the same.
        runs.forget(gatewayId)
        log.warn({ err: error, gateway: gatewayId }, 'audit events of a gateway could not be stored; it sends them again')
      })
      .finally(() => {
        const left = (waiting.get(gatewayId) ?? 1) - 1
        if (left > 0) waiting.set(gatewayId, left)
        else waiting.delete(gatewayId)
      })
  }

  async function take(line: Line, { firstSeq, prevHash, events, droppedTotal }: AuditBatch): Promise<void> {
    const gateway = registry.get(line.gatewayId)
    if (!gateway) return
    const tip = await runs.tip(gateway)
    const first = Number(firstSeq)
    if (events.length === 0 || events.length > maxEvents || first < 1 || prevHash.length !== 32) return acknowledge(line, tip.through)
    const links = []
    let hash = Buffer.from(prevHash).toString('hex')
    for (const bytes of events) {
      await turn()
      links.push({ seq: first + links.length, hash: (hash = gatewayLink(hash, bytes)), bytes: bytes as Uint8Array<ArrayBuffer> })
    }
    const fresh = links.filter(({ seq }) => seq > tip.through)
    const known = links.find(({ seq }) => seq === tip.through)
    const isBroken = known ? known.hash !== tip.hash : first === tip.through + 1 && Buffer.from(prevHash).toString('hex') !== tip.hash
    if (isBroken) await tellBreak(gateway, tip.through)
    if (fresh.length > 0) {
      const begins = fresh[0]!.seq
      const before = begins === first ? Buffer.from(prevHash).toString('hex') : links[links.length - fresh.length - 1]!.hash
      const because = isBroken ? 'break' : begins === tip.through + 1 ? null : 'hole'
      const rows: GatewayAuditRow[] = []
      const uses = new Map<string, number>()
      for (const { seq, hash: own, bytes } of fresh) {
        await turn()
        const { row, usedToken } = storedEvent(gateway, seq, own, bytes, clock.now())
        rows.push(row)
        if (usedToken !== null) uses.set(usedToken, Math.max(uses.get(usedToken) ?? 0, Date.parse(row.at)))
      }
      const run: UnsignedRun = {
        ...(because === null ? tip : { ...tip, began: begins, because, first: begins, before, removed: 0 }),
        through: fresh.at(-1)!.seq,
        hash: fresh.at(-1)!.hash,
        dropped: Math.max(tip.dropped, Number(droppedTotal)),
        at: new Date(clock.now()).toISOString(),
      }
      await store(rows, run)
      runs.put(run)
      if (uses.size > 0) for (const listener of listeners) listener(gateway, uses)
    }
    acknowledge(line, Math.max(tip.through, fresh.at(-1)?.seq ?? 0))
  }

  function acknowledge(line: Line, through: number): void {
    if (line.isOpen()) line.push({ case: 'auditAck', value: create(AuditAckSchema, { throughSeq: BigInt(through) }) })
  }

  /** Many gateways in one transaction; resolves when it is on disk. */
  function store(rows: GatewayAuditRow[], run: UnsignedRun): Promise<void> {
    if (!group || group.rows.length + rows.length > perWrite) {
      const mine: GatewayAuditBatch & { written: Promise<void> } = { rows: [], runs: [], written: Promise.resolve() }
      group = mine
      mine.written = writing = writing
        .catch(() => {})
        .then(() => new Promise<void>((resolve) => void clock.after(gatherMs, resolve)))
        .then(() => {
          if (group === mine) group = null
          return db.appendGatewayAudit({ rows: mine.rows, runs: mine.runs })
        })
    }
    group.rows.push(...rows)
    group.runs.push({ ...run, ...key.sign(runText(run)) })
    return group.written
  }

  /** What this gateway sent before is not what it says now. */
  async function tellBreak({ id, org, workspace, name }: { id: string; org: string; workspace: string; name: string }, after: number) {
    log.warn({ gateway: name, after }, 'the audit events of a gateway do not follow what it sent before: its state dir was replaced')
    const detail = { alert: true, after }
    await audit.append([
      audit.row(gatewayCaller(id, ''), 'gateway.audit_break', { org, workspace, kind: 'Gateway', name, uid: id, detail }),
    ])
  }
}
