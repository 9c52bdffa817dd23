import type { EnrollmentStatus } from '@mcpg/proto/kinds/enrollment'
import type { EventSpec, EventStatus } from '@mcpg/proto/kinds/event'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { InstanceStatus } from '@mcpg/proto/kinds/instance'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { ServerOnGateway, ServerStatus } from '@mcpg/proto/kinds/server'

/** Objects as the control plane answers them, each with what a story does not care about filled in. */

export const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

const object = (kind: string, name: string, spec: object, status: object, metadata: Partial<Resource['metadata']> = {}): Resource => ({
  kind,
  metadata: {
    name,
    uid: `${kind.toLowerCase()}_${name}`,
    org: 'default',
    workspace: 'default',
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: ago(7200),
    updatedAt: ago(3600),
    ...metadata,
  },
  spec: { ...spec },
  status: { ...status },
})

const point = (generation: number, hash: string, seconds: number) => ({ generation, hash: hash.repeat(8), at: ago(seconds) })

export function gateway(name: string, status: Partial<GatewayStatus> = {}, environment = 'default'): Resource {
  const full: GatewayStatus = {
    observedGeneration: 4,
    connection: 'online',
    config: {
      state: 'applied',
      desired: point(4, 'a1b2c3d4', 300),
      applied: point(4, 'a1b2c3d4', 290),
      lkg: point(4, 'a1b2c3d4', 260),
      heldBack: [],
    },
    health: 'healthy',
    servers: { ready: 2, total: 2 },
    activeSessions: 1,
    memoryRssBytes: 87_000_000,
    version: '0.1.0',
    platform: 'linux/amd64',
    hostname: `${name}.local`,
    endpoints: ['http://127.0.0.1:7845/mcp'],
    reportedLabels: { os: 'debian' },
    sessionEpoch: 1,
    enrolledAt: ago(7200),
    credential: { kind: 'bearer' },
    connectedAt: ago(3500),
    lastSeenAt: ago(4),
    conditions: [],
    ...status,
  }
  return object('Gateway', name, { origin: 'enrolled', instanceUid: `${name}-9f3c2a` }, full, { environment, labels: { role: 'edge' } })
}

export function onGateway(name: string, on: Partial<ServerOnGateway> = {}): ServerOnGateway {
  return {
    gateway: name,
    environment: 'default',
    state: 'ready',
    ready: 1,
    desired: 1,
    restarts: 0,
    resolvedVersion: '2026.1.4',
    reportedAt: ago(20),
    ...on,
  }
}

export function server(name: string, gateways: ServerOnGateway[], status: Partial<ServerStatus> = {}, spec: object = {}): Resource {
  const sum = (of: 'ready' | 'desired') => gateways.reduce((total, one) => total + one[of], 0)
  const full: ServerStatus = {
    observedGeneration: 1,
    ready: sum('ready'),
    desired: sum('desired'),
    placed: gateways.length,
    tools: 0,
    conditions: [],
    gateways,
    ...status,
  }
  return object('Server', name, { package: { runtime: 'node', name: `@modelcontextprotocol/server-${name}` }, ...spec }, full)
}

export function instance(serverName: string, gatewayName: string, status: Partial<InstanceStatus> = {}): Resource {
  const full: InstanceStatus = {
    state: 'ready',
    lastLogLines: [],
    protocolVersion: '2025-11-25',
    startTime: ago(3400),
    readyTime: ago(3398),
    restartCount: 0,
    inFlight: 0,
    ...status,
  }
  return object('Instance', `${serverName}-${gatewayName}-0`, { server: serverName, gateway: gatewayName }, full, {
    environment: 'default',
  })
}

export function tool(serverName: string, name: string, definition: object = {}): Resource {
  const exposedName = `${serverName}__${name}`
  const whole = { name, inputSchema: { type: 'object', properties: {} }, ...definition }
  const description = (definition as { description?: string }).description
  return object(
    'Tool',
    exposedName,
    { server: serverName, name, exposedName, description, definition: whole, definitionHash: 'ab'.repeat(32) },
    { gateways: ['edge-1'] },
  )
}

export function event(name: string, spec: Partial<EventSpec> = {}, status: Partial<EventStatus> = {}): Resource {
  const whole: EventSpec = { object: { kind: 'Gateway', name: 'edge-1' }, reason: 'Offline', type: 'Warning', gateway: 'edge-1', ...spec }
  const full: EventStatus = { message: 'No frame for 60 s', count: 1, firstAt: ago(600), lastAt: ago(60), ...status }
  return object('Event', name, whole, full)
}

export function enrollment(name: string, status: Partial<EnrollmentStatus> = {}, spec: object = {}, createdAt = ago(2)): Resource {
  const full: EnrollmentStatus = { state: 'open', usedCount: 0, createdBy: 'local', redemptions: [], ...status }
  return object('Enrollment', name, { maxUses: 1, expiresAt: ago(-900), cidrs: [], ...spec }, full, { environment: 'default', createdAt })
}

export const echoTool = tool('everything', 'echo', {
  title: 'Echo',
  description: 'Echoes back the input string.\nUseful to see that the way through the gateway works.',
  annotations: { readOnlyHint: true, openWorldHint: false },
  inputSchema: { type: 'object', required: ['message'], properties: { message: { type: 'string', description: 'What to echo' } } },
})

/** A fleet with one of each trouble. */
export const troubledFleet = (): Resource[] => [
  gateway('edge-1'),
  gateway('edge-2', { connection: 'offline', health: 'unknown', servers: { ready: 0, total: 2 }, lastSeenAt: ago(480), activeSessions: 0 }),
  gateway('lab', {
    health: 'degraded',
    servers: { ready: 1, total: 3 },
    config: {
      state: 'rolled_back',
      reason: 'UNHEALTHY',
      message: 'github did not answer initialize within 60s',
      desired: point(7, 'ffee1122', 200),
      applied: point(6, '0badcafe', 3000),
      lkg: point(6, '0badcafe', 3000),
      heldBack: [{ server: 'github', reason: 'InitializeTimeout', message: 'No answer to initialize within 60s', since: ago(150) }],
    },
  }),
  server('everything', [onGateway('edge-1'), onGateway('edge-2', { state: 'unknown', ready: 0 })], { tools: 2 }),
  server(
    'github',
    [
      onGateway('edge-1'),
      onGateway('lab', {
        state: 'ready',
        heldBack: { reason: 'InitializeTimeout', message: 'No answer to initialize within 60s', since: ago(150), running: '3' },
      }),
    ],
    { conditions: [{ type: 'HeldBack', status: 'True', reason: 'InitializeTimeout', message: 'on lab', lastTransitionTime: ago(150) }] },
  ),
  server('postgres', [
    onGateway('lab', {
      state: 'failed',
      reason: 'ExitedEarly',
      message: 'The process ended before it answered initialize',
      ready: 0,
      restarts: 5,
      exitCode: 1,
      lastLogLines: [
        'connecting to db.internal:5432',
        'Error: getaddrinfo ENOTFOUND db.internal',
        '    at GetAddrInfoReqWrap.onlookupall [as oncomplete]',
      ],
      resolvedVersion: '0.6.2',
    }),
  ]),
  server('orphan', [], {
    conditions: [
      {
        type: 'Unplaced',
        status: 'True',
        reason: 'NoGatewayMatches',
        message: 'No gateway has the labels zone=b',
        lastTransitionTime: ago(90),
      },
    ],
  }),
  instance('everything', 'edge-1', { inFlight: 2 }),
  instance('postgres', 'lab', { state: 'crash_loop', reason: 'ExitedEarly', exitCode: 1, restartCount: 5, startTime: ago(35) }),
  instance('github', 'lab'),
  echoTool,
  tool('everything', 'add', {
    description: 'Adds two numbers',
    inputSchema: { type: 'object', required: ['a', 'b'], properties: { a: { type: 'number' }, b: { type: 'number' } } },
  }),
]
