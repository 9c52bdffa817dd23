import type { ConnectRequest } from '@mcpg/proto/gen/gateway'

/** Far above what a gateway can have staged (one a second for 30 years) and within the integers of both database engines. */
const maxGeneration = 1_000_000_000n
/** A hash is absent or SHA-256. */
const hashBytes = new Set([0, 32])

/**
 * What a frame says that no gateway can mean; null for an honest one. Such numbers would be stored and signed, and come back at every
 * start, so they are refused at the door.
 */
export function implausible({ frame }: ConnectRequest): string | null {
  const hashes = frame.case === 'hello' || frame.case === 'heartbeat' ? frame.value.configHashes : undefined
  const status = frame.case === 'hello' ? frame.value.configStatus : frame.case === 'configStatus' ? frame.value : undefined
  const generations = [hashes?.highestGeneration ?? 0n, status?.generation ?? 0n]
  if (generations.some((generation) => generation > maxGeneration)) return `a generation above ${maxGeneration}`
  const sizes = [hashes?.appliedHash, hashes?.lkgHash, hashes?.lastOfferedHash, status?.configHash].map((hash) => hash?.length ?? 0)
  return sizes.every((size) => hashBytes.has(size)) ? null : 'a config hash that is not of 32 bytes'
}
