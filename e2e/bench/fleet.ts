import { join } from 'node:path'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

/** The timers of the product, not the short ones of the stories. */
export const productTimers = { MCPG_TIMERS: '' }

/** A control plane and one enrolled gateway that runs these servers, each of them answering `tools/list`. */
export async function startFleet(servers: { name: string; spec: Record<string, unknown> }[], env: Record<string, string> = productTimers) {
  const folder = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), env })
  const rest = api(controlPlane.http)
  if (servers.length > 0) await rest.servers(...servers)
  const { url } = await rest.enroll()
  const stateDir = join(folder, 'gateway')
  const gateway = await startGateway({ stateDir, url, env })
  for (const { name } of servers) await serving(`${gateway.endpoint}/servers/${name}`)
  return { folder, controlPlane, rest, gateway, gatewayState: stateDir }
}

/** Waits until an endpoint path lists at least one tool. */
export async function serving(url: string, deadlineMs = 60_000): Promise<void> {
  await until(
    `tools at ${url}`,
    async () => {
      const session = await legacySession(url)
      const tools = await session.tools()
      await session.close()
      return tools.length > 0
    },
    deadlineMs,
  )
}
