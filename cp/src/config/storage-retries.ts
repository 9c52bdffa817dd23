import type { Clock } from '@mcpg/core/clock'

/**
 * Configs that a gateway could not store, its disk being full: nothing is wrong with them and nobody here hears when there is space
 * again, so each is due once more after `delayMs`, until the gateway takes it or something newer replaces it.
 */
export function storageRetries({
  clock,
  delayMs,
  retry,
}: {
  clock: Clock
  delayMs: number
  retry: (gatewayId: string, generation: number) => void
}) {
  const waiting = new Map<string, () => void>()
  return { schedule, forget, stop }

  function schedule(gatewayId: string, generation: number): void {
    forget(gatewayId)
    const cancel = clock.after(delayMs, () => {
      waiting.delete(gatewayId)
      retry(gatewayId, generation)
    })
    waiting.set(gatewayId, cancel)
  }

  function forget(gatewayId: string): void {
    waiting.get(gatewayId)?.()
    waiting.delete(gatewayId)
  }

  function stop(): void {
    for (const cancel of waiting.values()) cancel()
    waiting.clear()
  }
}
