import type { Clock } from '@mcpg/core/clock'

/** As many returns of an earlier process within a minute are two processes that share one identity. */
const returnsToConvict = 3
const windowMs = 60_000

type Record = { boots: { bootId: string; at: number }[]; returnsAt: number[]; heldUntil: number }

/**
 * Tells a restart from a copy. A restart brings a boot id that was never seen; when boot ids take turns, a state dir was copied
 * (`docs/protocol.md`).
 */
export function cloneWatch({ clock, holdMs }: { clock: Clock; holdMs: number }) {
  const records = new Map<string, Record>()
  return { hello, forget: (gatewayId: string) => void records.delete(gatewayId), isHeld }

  /** True when the gateway is two from now on. */
  function hello(gatewayId: string, bootId: string): boolean {
    const now = clock.monotonic()
    const record = records.get(gatewayId) ?? { boots: [], returnsAt: [], heldUntil: 0 }
    records.set(gatewayId, record)
    const last = record.boots.at(-1)
    if (last?.bootId === bootId) return false
    record.returnsAt = record.returnsAt.filter((at) => now - at < windowMs)
    if (record.boots.some((boot) => boot.bootId === bootId)) record.returnsAt.push(now)
    record.boots = [...record.boots.filter((boot) => boot.bootId !== bootId), { bootId, at: now }].slice(-8)
    if (record.returnsAt.length < returnsToConvict) return false
    record.returnsAt = []
    record.heldUntil = now + holdMs
    return true
  }

  function isHeld(gatewayId: string): boolean {
    return (records.get(gatewayId)?.heldUntil ?? 0) > clock.monotonic()
  }
}
