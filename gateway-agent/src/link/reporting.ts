import type { Clock } from '@mcpg/core/clock'
import type { GatewayDescription } from '@mcpg/proto/gen/types'
import type { ConfigMachine } from '../config/machine.ts'
import type { ServerReport, Servers } from '../servers/supervision.ts'
import type { inventories, InventorySource } from './inventory.ts'
import type { Outbox } from './outbox.ts'
import { configStatusOnWire, serverStatusOnWire } from './wire.ts'

/**
 * Keeps the control plane told during one stream: every step of a config, servers whose state changed (gathered for `statusFlush`),
 * inventory hashes. What was said on an earlier stream is not counted on.
 */
export function reporting({
  outbox,
  config,
  servers,
  source,
  inventory,
  describe,
  clock,
  timers,
}: {
  outbox: Outbox
  config: ConfigMachine
  servers: Servers
  source: InventorySource
  inventory: ReturnType<typeof inventories>
  describe: () => GatewayDescription
  clock: Clock
  timers: { statusFlush: number }
}) {
  const said = new Map<string, string>()
  const saidInventory = new Map<string, string>()
  let needsFull = true
  let cancelFlush: (() => void) | null = null
  const subscriptions = [
    config.onReport((report) => void outbox.push('status', () => ({ case: 'configStatus', value: configStatusOnWire(report) }))),
    servers.onReport(soon),
    servers.onRouting(soon),
    source.onInventory((server) => {
      sendInventory(server)
      soon()
    }),
  ]
  return { full, sendItems, stop }

  /** Everything, as if nothing had been said. */
  function full({ withDescription }: { withDescription: boolean }): void {
    needsFull = true
    saidInventory.clear()
    if (withDescription) outbox.push('status', () => ({ case: 'description', value: describe() }))
    const report = config.report()
    if (withDescription && report) outbox.push('status', () => ({ case: 'configStatus', value: configStatusOnWire(report) }))
    sendStatus()
    for (const server of servers.routed().keys()) sendInventory(server)
  }

  function soon(): void {
    cancelFlush ??= clock.after(timers.statusFlush, () => {
      cancelFlush = null
      sendStatus()
    })
  }

  function sendStatus(): void {
    outbox.push('status', () => {
      const reports = [...servers.report(), ...config.leftOut()]
      // A delta cannot say that a server is gone.
      const isFull = needsFull || [...said.keys()].some((name) => !reports.some((report) => report.name === name))
      const list = isFull ? reports : reports.filter((report) => said.get(report.name) !== fingerprint(report))
      if (!isFull && list.length === 0) return null
      needsFull = false
      said.clear()
      for (const report of reports) said.set(report.name, fingerprint(report))
      return {
        case: 'serverStatus',
        value: { full: isFull, servers: list.map((report) => serverStatusOnWire(report, inventory.hash(report.name))) },
      }
    })
  }

  function fingerprint(report: ServerReport): string {
    // Calls come and go without being news.
    const instances = report.instances.map((instance) => ({ ...instance, inFlight: 0 }))
    return JSON.stringify([{ ...report, instances }, hashText(report.name)])
  }

  function sendInventory(server: string): void {
    outbox.push('inventory', () => {
      const hash = hashText(server)
      const message = saidInventory.get(server) === hash ? null : inventory.message(server, { withItems: false })
      if (message) saidInventory.set(server, hash)
      return message && { case: 'serverInventory', value: message }
    })
  }

  function sendItems(server: string): void {
    outbox.push('inventory', () => {
      const message = inventory.message(server, { withItems: true })
      return message && { case: 'serverInventory', value: message }
    })
  }

  function hashText(server: string): string {
    return Buffer.from(inventory.hash(server) ?? '').toString('hex')
  }

  function stop(): void {
    cancelFlush?.()
    for (const unsubscribe of subscriptions) unsubscribe()
  }
}
