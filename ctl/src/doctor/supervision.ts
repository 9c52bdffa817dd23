import { ok, warn, type Check } from './check.ts'

/** What keeps processes of servers from surviving a stop or a crash, tried on this machine. */
export async function checkSupervision(): Promise<Check[]> {
  const { probeSupervision } = await import('@mcpg/gateway-agent/main')
  const { tiers, active } = await probeSupervision()
  return tiers.map(({ tier, name, available, holds, missing }): Check => {
    const title = `supervision ${tier}`
    const detail = `${name}${tier === active ? ' (in use)' : ''}: ends ${holds}`
    if (!missing) return ok(title, detail)
    return warn(title, available ? detail : `${name} is not available`, missing)
  })
}
