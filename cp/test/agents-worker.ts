// Gateways of a test in a thread of their own, so that their work is not taken for that of the control plane.
import { createGrpcTransport } from '@connectrpc/connect-node'
import { workerData } from 'node:worker_threads'
import { fakeAgent, inventoryOf, type FakeAgent } from './fake-agent.ts'

export type WorkerAgents = { grpc: string; agents: { bearer: string; instanceUid: string }[] }

const { grpc, agents } = workerData as WorkerAgents
for (const { bearer, instanceUid } of agents) {
  const agent = fakeAgent({ transport: createGrpcTransport({ baseUrl: grpc }), bearer, instanceUid })
  agent.connect()
  void answer(agent)
}

/** Tells of an inventory per server after every config, and hands over the bodies that are asked for. */
async function answer(agent: FakeAgent): Promise<void> {
  for (let seen = 0; ; seen++) {
    const frame = await agent.waitFor(() => agent.frames[seen], 600_000)
    if (frame.case === 'inventoryRequest')
      agent.send({ case: 'serverInventory', value: inventoryOf(frame.value.server, toolOf(frame.value.server), true) })
    if (frame.case !== 'configOffer') continue
    const servers = [...(agent.memory.lkg?.servers.keys() ?? [])]
    for (const server of servers) agent.send({ case: 'serverInventory', value: inventoryOf(server, toolOf(server), false) })
  }
}

/** Every server has another inventory. */
function toolOf(server: string): string {
  return `tool-of-${server}`
}
