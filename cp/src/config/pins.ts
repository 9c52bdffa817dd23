import type { Registry } from '../gateways/registry.ts'
import type { ConfigStore, PinRow } from './store.ts'

export type Pins = ReturnType<typeof pinBook>

/** A pin, and the servers of which the gateway would get something else without it. */
export type Pinned = PinRow & { waiting: readonly string[] }

/** Gateways that somebody rolled back: what they run stays until they are resumed, whatever is compiled. */
export function pinBook({ store, registry }: { store: Pick<ConfigStore, 'listPins'>; registry: Pick<Registry, 'get'> }) {
  const pins = new Map<string, Pinned>()
  return { load, find, set, setWaiting, remove, forgetGateways, isEmpty: () => pins.size === 0 }

  async function load(): Promise<void> {
    for (const row of await store.listPins()) set(row)
  }

  function find(gatewayId: string): Pinned | undefined {
    return pins.get(gatewayId)
  }

  function set(row: PinRow): void {
    pins.set(row.gatewayId, { ...row, waiting: [] })
  }

  /** True when these are others than before. */
  function setWaiting(gatewayId: string, waiting: readonly string[]): boolean {
    const pin = pins.get(gatewayId)
    if (!pin || pin.waiting.join() === waiting.join()) return false
    pins.set(gatewayId, { ...pin, waiting })
    return true
  }

  function remove(gatewayId: string): void {
    pins.delete(gatewayId)
  }

  function forgetGateways(): void {
    for (const id of pins.keys()) if (!registry.get(id)) pins.delete(id)
  }
}
