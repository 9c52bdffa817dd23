import { durationMs } from '@mcpg/proto/durations'
import { invalid } from '../http/problems.ts'

/** When a token of this ttl ends; null: never. Throws invalid for a time that has passed. */
export function expiryOf(ttl: string, now: number): string | null {
  if (ttl === 'never') return null
  const at = /^\d+[a-z]+$/.test(ttl) ? now + durationMs(ttl) : Date.parse(ttl)
  if (at <= now) throw invalid([{ pointer: '/ttl', detail: `has passed already: it is ${new Date(now).toISOString()} now` }])
  if (at > maxTime) throw invalid([{ pointer: '/ttl', detail: 'is too far away; write never' }])
  return new Date(at).toISOString()
}

/** Four digits of a year: times compare as text. */
const maxTime = Date.UTC(9999, 11, 31)
