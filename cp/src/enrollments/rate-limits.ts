import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { isLoopback } from './source.ts'

export type EnrollmentLimits = {
  /** Failed redemptions of one address, per second, and how many at once. Loopback is exempt. */
  failedPerSecond: number
  failedBurst: number
  /** All redemptions together. */
  perSecond: number
}

const defaultEnrollmentLimits: EnrollmentLimits = { failedPerSecond: 1, failedBurst: 20, perSecond: 100 }

/** Reads `perSecond=1000,failedBurst=5` over the defaults; throws a RangeError that names the bad pair. */
export function readEnrollmentLimits(text: string | undefined): EnrollmentLimits {
  const limits = { ...defaultEnrollmentLimits }
  for (const pair of (text ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [name = '', value = ''] = pair.split('=').map((part) => part.trim())
    if (!Object.hasOwn(limits, name) || !(Number(value) > 0))
      throw new RangeError(`"${pair}" is not a limit: write <name>=<number above 0>`)
    limits[name as keyof EnrollmentLimits] = Number(value)
  }
  return limits
}

/** Addresses remembered at once; a full map forgets the one that was idle longest. */
const maxAddresses = 10_000

type Bucket = { tokens: number; at: number }

/** Token buckets in front of redemption: guessing is slow, and a herd cannot take the writer. */
export function redemptionLimits({ limits, clock }: { limits: EnrollmentLimits; clock: Clock }) {
  const all: Bucket = { tokens: limits.perSecond, at: clock.monotonic() }
  const failed = new Map<string, Bucket>()
  return { admit, countFailure }

  /** Throws rate_limited with the seconds to wait. */
  function admit(source: string): void {
    const bucket = failed.get(source)
    if (bucket) {
      refill(bucket, limits.failedPerSecond, limits.failedBurst)
      if (bucket.tokens < 1) throw limited('Too many failed redemptions from this address.', (1 - bucket.tokens) / limits.failedPerSecond)
    }
    refill(all, limits.perSecond, limits.perSecond)
    if (all.tokens < 1) throw limited('Too many redemptions at once.', (1 - all.tokens) / limits.perSecond)
    all.tokens -= 1
  }

  function countFailure(source: string): void {
    if (isLoopback(source)) return
    const bucket = failed.get(source) ?? { tokens: limits.failedBurst, at: clock.monotonic() }
    refill(bucket, limits.failedPerSecond, limits.failedBurst)
    bucket.tokens -= 1
    failed.delete(source)
    failed.set(source, bucket)
    if (failed.size > maxAddresses) failed.delete(failed.keys().next().value!)
  }

  function refill(bucket: Bucket, perSecond: number, burst: number): void {
    const now = clock.monotonic()
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
    bucket.at = now
  }
}

function limited(message: string, seconds: number): McpgError {
  return new McpgError('rate_limited', 'rate_limited', message, { retryAfterSeconds: Math.max(1, Math.ceil(seconds)) })
}
