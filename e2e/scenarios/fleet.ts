import { join } from 'node:path'
import { serverFile } from '../fixtures/start.ts'
import { api, type Api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession, modernRequest } from '../harness/mcp.ts'
import { startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

/** The timers of the product, not the short ones of the stories. */
export const productTimers = { MCPG_TIMERS: '' }

export type ServerInput = { name: string; spec: Record<string, unknown> }

/** A server that is one of the fixtures, started over stdio. */
export function fixture(name: string, file: string, args: string[] = [], more: Record<string, unknown> = {}): ServerInput {
  return { name, spec: { command: [process.execPath, serverFile(file), ...args], ...more } }
}

/** A control plane and one enrolled gateway that runs these servers, each of them answering `tools/list` and proven. */
export async function startFleet(servers: ServerInput[], env: Record<string, string> = productTimers) {
  const folder = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), env })
  const rest = api(controlPlane.http)
  if (servers.length > 0) await rest.servers(...servers)
  const { url } = await rest.enroll({ name: 'here' })
  const stateDir = join(folder, 'gateway')
  const gateway = await startGateway({ stateDir, url, env })
  await running({ rest, gateway }, servers)
  return { folder, controlPlane, rest, gateway, gatewayState: stateDir }
}

/** Adds servers to a fleet that runs, and waits until they are proven. */
export async function runServers(fleet: { rest: Api; gateway: { endpoint: string } }, servers: ServerInput[]): Promise<void> {
  await fleet.rest.servers(...servers)
  await running(fleet, servers)
}

async function running({ rest, gateway }: { rest: Api; gateway: { endpoint: string } }, servers: ServerInput[]): Promise<void> {
  for (const { name } of servers) await serving(serverUrl(gateway, name))
  // Serving is not proven yet: what is not in an applied config is nothing to fall back to.
  if (servers.length > 0) await settled(rest)
}

export const serverUrl = ({ endpoint }: { endpoint: string }, server: string) => `${endpoint}/servers/${server}`

/** Waits until an endpoint path lists at least one tool, to clients of either era: a modern server is nothing for legacy ones. */
export async function serving(url: string, deadlineMs = 60_000): Promise<void> {
  await until(`tools at ${url}`, async () => (await legacyTools(url).catch(() => modernTools(url))) > 0, deadlineMs)
}

async function legacyTools(url: string): Promise<number> {
  const session = await legacySession(url)
  const tools = await session.tools()
  await session.close()
  return tools.length
}

const modernTools = async (url: string) => ((await modernRequest(url, 'tools/list'))['tools'] as unknown[]).length

/** Where the configuration of a gateway stands, as the control plane says. */
export async function configOf(rest: Api, gateway = 'here') {
  const { status } = await rest.get('gateways', gateway)
  return status['config'] as {
    state: string
    reason?: string
    message?: string
    desired?: { generation: number; hash: string }
    applied?: { generation: number; hash: string }
    heldBack: { server: string; reason: string; message: string }[]
  }
}

/** Waits until what the gateway runs is what it should. */
export async function settled(rest: Api, gateway = 'here', deadlineMs = 60_000): Promise<void> {
  await until(
    `the desired config is applied on ${gateway}`,
    async () => {
      const { state, desired, applied } = await configOf(rest, gateway)
      return state === 'applied' && desired !== undefined && desired.hash === applied?.hash
    },
    deadlineMs,
  )
}

/** Makes a change that leads to another config, and waits until that one is applied. Without the first look the old one would pass. */
export async function applied(rest: Api, change: () => Promise<unknown>, gateway = 'here'): Promise<void> {
  const before = (await configOf(rest, gateway)).desired?.hash
  await change()
  await until(`another config for ${gateway}`, async () => (await configOf(rest, gateway)).desired?.hash !== before)
  await settled(rest, gateway)
}
