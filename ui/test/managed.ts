import type { ServerResponse } from 'node:http'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import type { Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import type { Deployment, GatewayParameters } from '@mcpg/proto/rest/provisioning'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { ago, gateway } from './fleet.ts'

export const parameters: GatewayParameters = { imageTag: 'latest', replicas: 1, size: 's', allowHigherTier: false, strategy: 'binpack' }

export const cluster = (name: string, more: Partial<Cluster> = {}): Cluster => ({
  id: `cl_${name}`,
  name,
  driver: 'kubernetes',
  state: 'ready',
  region: 'eu-central',
  isolationTier: 'shared',
  labels: { disk: 'ssd' },
  gateways: { max: 40, reserved: 10 },
  cpuMillicores: { total: 64_000, reserved: 5_000 },
  memoryBytes: { total: 128 * 2 ** 30, reserved: 12 * 2 ** 30 },
  lastProbeAt: ago(5),
  totalsGiven: false,
  failureScore: 0,
  createdAt: ago(86_400),
  updatedAt: ago(60),
  ...more,
})

export const operation = (id: string, more: Partial<Operation> = {}): Operation => ({
  id,
  kind: 'create',
  org: 'default',
  workspace: 'default',
  environment: 'default',
  gateway: { name: 'edge-1', instanceUid: 'edge-1-9f3c2a' },
  cluster: 'berlin',
  parameters,
  state: 'running',
  phase: 'applying',
  step: 'workload',
  attempt: 1,
  compensating: false,
  startedBy: 'ada@example.com',
  createdAt: ago(4),
  updatedAt: ago(1),
  ...more,
})

/** A gateway that the control plane runs. */
export function managedGateway(name: string): Resource {
  const one = gateway(name)
  return { ...one, spec: { ...(one.spec as object), origin: 'managed' } }
}

export const deployment = (more: Partial<GatewayParameters> = {}): Deployment => ({
  instanceUid: 'edge-1-9f3c2a',
  cluster: { id: 'cl_berlin', name: 'berlin', region: 'eu-central', isolationTier: 'shared' },
  state: 'ready',
  parameters: { ...parameters, ...more },
})

type Told = Omit<OperationEvent, 'operationId' | 'seq' | 'at'>

/** The events of one operation: what was told before a reader comes, and after which number each came; `cut` breaks what is open. */
export function operationEvents(cp: FakeControlPlane, id: string) {
  const events: OperationEvent[] = []
  const asked: number[] = []
  let open: ServerResponse[] = []
  cp.knobs.onOperation = ({ after }, response) => {
    asked.push(after)
    const last = events.at(-1)
    if (last && isOver(last) && after >= last.seq) return void response.writeHead(204).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    for (const event of events) if (event.seq > after) write(response, event)
    if (last && isOver(last)) return void response.end()
    open.push(response)
  }
  return { asked, tell, cut }

  function tell(...told: Told[]): void {
    for (const one of told) {
      const event = { ...one, operationId: id, seq: events.length + 1, at: new Date().toISOString() }
      events.push(event)
      for (const response of open) {
        write(response, event)
        if (isOver(event)) response.end()
      }
    }
  }

  function cut(): void {
    for (const response of open) response.destroy()
    open = []
  }
}

const isOver = ({ phase }: OperationEvent) => phase === 'ready' || phase === 'failed'

const write = (response: ServerResponse, event: OperationEvent) =>
  response.write(`event: ${event.phase}\nid: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)
