import { hash } from 'node:crypto'
import type { GatewayAuditRun } from '../db/db.ts'

/** A run before it is signed. */
export type UnsignedRun = Omit<GatewayAuditRun, 'signature' | 'keyId'>

/** What stands before number 1. */
export const gatewayOrigin = '0'.repeat(64)

/** hash(n) = SHA-256(hash(n-1) ‖ bytes of event n as sent), in lower-case hex. */
export function gatewayLink(before: string, bytes: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(before, 'hex'), bytes]))
}

/** The text that is signed for a run. */
export function runText(run: UnsignedRun): string {
  const { gatewayId, began, org, because, first, before, through, hash, removed, dropped, at } = run
  return JSON.stringify(['gateway-run', org, gatewayId, began, because, first, before, through, hash, removed, dropped, at])
}

type Numbers = 'began' | 'first' | 'through' | 'removed' | 'dropped'
/** Numbers come as bigint from the database; they stay far below what a number holds. */
export function storedRun<Row extends Record<Numbers, bigint>>(row: Row): Omit<Row, Numbers> & Record<Numbers, number> {
  const { began, first, through, removed, dropped, ...rest } = row
  return {
    ...rest,
    began: Number(began),
    first: Number(first),
    through: Number(through),
    removed: Number(removed),
    dropped: Number(dropped),
  }
}
