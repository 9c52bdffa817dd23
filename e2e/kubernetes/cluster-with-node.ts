import { chownSync } from 'node:fs'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl, startControlPlane } from '../harness/programs.ts'
import { startCluster } from './control-plane.ts'
import { buildImages } from './images.ts'
import { joinNode, startEngine } from './node.ts'

export type ClusterWithNode = Awaited<ReturnType<typeof clusterWithNode>>

/** A Kubernetes with one node and our images on it, and a control plane that its pods reach. */
export async function clusterWithNode({ timers = '', dnsServer }: { timers?: string; dnsServer?: string } = {}) {
  const cluster = await startCluster()
  const node = await startEngine(cluster)
  buildImages(cluster.folder, node)
  await joinNode(cluster, node)
  const controlPlane = await startControlPlane({
    stateDir: temporaryFolder(),
    http: `${node.address}:0`,
    grpc: `${node.address}:0`,
    args: ['--insecure-allow-unauthenticated', ...(dnsServer !== undefined ? ['--dns-server', dnsServer] : [])],
    ...(timers !== '' && { env: { MCPG_TIMERS: timers } }),
  })
  // There is no provisioner of volumes.
  const volume = temporaryFolder()
  chownSync(volume, 1000, 1000)
  return { cluster, node, controlPlane, volume, ask, toolsOf, callEcho }

  async function ask<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await ctl([...args, '-o', 'json'], controlPlane)
    if (code !== 0) throw new Error(`mcpg-ctl ${args.join(' ')}: ${code} ${stdout} ${stderr}`)
    return JSON.parse(stdout) as T
  }

  /** What a client sees of a server of a gateway, over the stream that its pod holds. */
  async function toolsOf(gateway: string, server: string): Promise<string[]> {
    const result = await request<{ tools?: { name: string }[] }>(gateway, server, { method: 'tools/list' })
    return result?.tools?.map(({ name }) => name) ?? []
  }

  async function callEcho(gateway: string, server: string, text: string): Promise<string | undefined> {
    const params = { name: 'echo', arguments: { text } }
    const result = await request<{ content?: { text?: string }[] }>(gateway, server, { method: 'tools/call', params })
    return result?.content?.[0]?.text
  }

  async function request<T>(gateway: string, server: string, asked: { method: string; params?: object }): Promise<T | undefined> {
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'story', version: '1' } }
    const messages = [
      { jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, ...asked },
    ]
    const { stdout } = await ctl(['mcp', '--via-control-plane', '--gateway', gateway, '--server', server], {
      ...controlPlane,
      stdin: messages.map((message) => `${JSON.stringify(message)}\n`).join(''),
    })
    type Answer = { id?: number; result?: T }
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer)
    return answers.find(({ id }) => id === 2)?.result
  }
}
