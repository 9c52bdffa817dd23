import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { serverUrl, serving } from './fleet.ts'

const { resolve } = createRequire(import.meta.url)
/** The entry of an installed package: what is shown here is the agent, not the registry. */
const entryOf = (name: string) => join(resolve(`${name}/package.json`), '../dist/index.js')

/** Joins by URL, runs two published servers, comes back without the URL and with the same one; then somebody uses the token again. */
export async function secondAgent({ env }: { env?: Record<string, string> } = {}) {
  const folder = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), ...(env ? { env } : {}) })
  const rest = api(controlPlane.http)
  const shared = join(folder, 'shared')
  mkdirSync(shared)
  writeFileSync(join(shared, 'note.txt'), 'what the second agent reads')
  await rest.servers(
    { name: 'filesystem', spec: { command: [process.execPath, entryOf('@modelcontextprotocol/server-filesystem'), shared] } },
    { name: 'memory', spec: { command: [process.execPath, entryOf('@modelcontextprotocol/server-memory')] } },
  )
  const { url } = await rest.enroll({ name: 'second' })
  const stateDir = join(folder, 'second')
  const starts: string[] = []
  for (const given of [url, null, url]) {
    const gateway = await startGateway({ stateDir, url: given, ...(env ? { env } : {}) })
    await serving(serverUrl(gateway, 'memory'))
    await serving(serverUrl(gateway, 'filesystem'))
    const session = await legacySession(gateway.endpoint)
    const read = await session.call('filesystem__read_text_file', { path: join(shared, 'note.txt') })
    const graph = await session.call('memory__read_graph')
    await session.close()
    const isRight = JSON.stringify(read).includes('what the second agent reads') && !graph['isError']
    starts.push(isRight ? 'serves both' : `read ${JSON.stringify(read)}, graph ${JSON.stringify(graph)}`)
    if (starts.length < 3) await gateway.stop()
  }
  await until('it is online', async () => (await rest.get('gateways', 'second')).status['connection'] === 'online')
  const facts = await ctl(['gateway-status'], { stateDir })
  const reuse = await ctl(['gateway', '--enrollment-url', url], { stateDir: join(folder, 'thief') })
  // What the control plane knows as the last good config there; the agent has to say the same of its own.
  const { lkg } = (await rest.get('gateways', 'second')).status['config'] as { lkg?: { hash: string } }
  return { starts, facts, reuse, grpcPort: new URL(controlPlane.grpc).port, lkg: lkg?.hash ?? '' }
}
