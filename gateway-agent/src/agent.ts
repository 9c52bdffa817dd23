import { join } from 'node:path'
import { systemClock, type Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { LineLog } from '@mcpg/core/line-log'
import type { Log } from '@mcpg/core/log'
import { version } from '@mcpg/proto/version'
import { gatewayAccess } from './access/access.ts'
import { gate } from './access/gate.ts'
import { newKeys } from './access/new-keys.ts'
import { accessTalk } from './access/talk.ts'
import { stateKey } from './endpoint/asking/parking/state-key.ts'
import { stateKeyId } from './endpoint/asking/parking/state-seal.ts'
import { removeAbandoned } from './audit/abandoned.ts'
import { witnessConfigs } from './audit/config-verdicts.ts'
import { auditQueue } from './audit/queue.ts'
import { witnessedSecrets } from './audit/secret-use.ts'
import { catalogOf } from './endpoint/catalog.ts'
import { endpoint } from './endpoint/endpoint.ts'
import type { Settings } from './config.ts'
import { configMachine } from './config/machine.ts'
import { configFolder, openSlots } from './config/slots.ts'
import { endpointCertificate, endpointNamesOf } from './identity/endpoint-certificate.ts'
import { gatewayCredentials } from './identity/credentials.ts'
import { eraseIdentity, type Identity } from './identity/identity-file.ts'
import { objectEvents } from './events/events.ts'
import { watchIdentity } from './identity/watch.ts'
import { contactFile } from './link/contact.ts'
import { describeGateway } from './link/description.ts'
import { controlPlanes } from './link/endpoints.ts'
import { eventReports } from './link/event-reports.ts'
import { auditBatches } from './link/audit-batches.ts'
import { logStreams } from './link/log-streams.ts'
import { linkLoop } from './link/link.ts'
import { remoteCalls } from './link/remote-calls.ts'
import { logBook } from './logs/log-book.ts'
import { policyFile, type Policy } from './policy/policy.ts'
import { secretDelivery } from './secrets/delivery.ts'
import { gatewaySecrets } from './secrets/secrets.ts'
import { superviseServers } from './servers/supervisor.ts'
import { readiness } from './status/health.ts'
import { gatewayMetrics, heartbeatMetric } from './status/metrics.ts'

/** What a test may replace. Everything else is the real thing. */
export type Overrides = { clock?: Clock; random?: () => number }

export type AgentDeps = {
  folder: string
  settings: Pick<
    Settings,
    'stateDir' | 'controlPlane' | 'bind' | 'mayBeOpen' | 'endpointTls' | 'allowedHosts' | 'allowedOrigins' | 'insecurePlaintext' | 'timers'
  >
  identity: Identity
  policy: Policy
  log: Log
  /** What `log` says, on disk. */
  ownLog: LineLog
  /** Where a fault test may end the process. */
  onSync: () => void
  /** The control plane deleted this gateway: credentials and configs are erased already, the program should end. */
  onDecommission: (message: string) => void
}

/** Where an identity dials, in order of preference; with a certificate host:port alone means TLS. */
export function endpointsOf(settings: Pick<Settings, 'controlPlane' | 'insecurePlaintext'>): (me: Identity) => string[] {
  return ({ controlPlaneEndpoints, credential }) =>
    controlPlanes(settings.controlPlane, controlPlaneEndpoints, { ...settings, isSecure: credential.kind === 'x509' })
}

/** Builds the whole agent. Nothing is constructed anywhere else. */
export async function createAgent(deps: AgentDeps, { clock = systemClock, random = Math.random }: Overrides = {}) {
  const { folder, settings, identity, policy, log, ownLog, onSync, onDecommission } = deps
  const { timers } = settings
  const { gatewayId } = identity
  const contacts = await contactFile(folder)
  const keys = identity.configSigningKeys.map((key) => new Uint8Array(Buffer.from(key, 'base64')))
  const slots = openSlots(configFolder(folder), onSync)

  const delivery = secretDelivery()
  const { sealingKey } = identity
  const secrets = gatewaySecrets({ gatewayId, sealingKey, slots, delivery, clock, timers, log, random })
  const cacheDir = join(settings.stateDir, 'cache')
  const logs = logBook({ folder: join(folder, 'logs'), clock, log })
  const events = objectEvents({ clock })
  const { tell } = events
  const audit = auditQueue({ folder: join(folder, 'audit', gatewayId), clock, log })
  const openSecrets = witnessedSecrets(secrets.open, { queue: audit, clock })
  const servers = superviseServers({ stateDir: folder, cacheDir, timers, clock, log, gatewayId, openSecrets, logs, tell })
  const config = configMachine({ gateway: { gatewayId, keys }, slots, secrets, servers, policy, clock, log })
  witnessConfigs(config, { queue: audit, clock })
  const catalog = catalogOf({ servers, timers, clock, log })
  const endpoints = endpointsOf(settings)
  const credentials = gatewayCredentials({
    folder,
    first: identity,
    endpoints,
    endpointNames: endpointNamesOf(settings),
    clock,
    timers,
    log,
    random,
  })
  const { bind } = settings
  const certificate = endpointCertificate({ tls: settings.endpointTls, identity, onRenewed: credentials.onRenewed, clock, timers, log })
  const ownStateKey = await stateKey(folder)
  const { environment } = identity
  const access = gatewayAccess({ folder, gatewayId, keys, environment, clock, log, onSync })
  const issuerKeys = newKeys({ access, clock })
  const entrance = gate({
    access,
    newKeys: issuerKeys,
    isLoopback: isLoopbackHost(bind?.host ?? '127.0.0.1'),
    mayBeOpen: settings.mayBeOpen,
    lastHeard: () => link.silentSince(),
    clock,
  })
  const mcp = endpoint({
    bind: bind?.host ?? '127.0.0.1',
    port: bind?.port,
    certificate,
    ...(contacts.endpointPort() !== undefined && { preferredPort: contacts.endpointPort() }),
    allowedHosts: settings.allowedHosts,
    allowedOrigins: settings.allowedOrigins,
    catalog,
    projects: { list: () => config.running()?.projects ?? [], onChange: config.onRunning },
    stateKey: ownStateKey,
    access: { admit: entrance.admit, environment, stillHolds: access.stillHolds, onChange: access.onChange },
    health: {
      healthz: () => ({ status: 200, body: { status: 'ok' } }),
      readyz,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
    },
    audit,
    gatewayName: identity.name,
    version,
    timers,
    clock,
    log,
  })
  const heartbeats = heartbeatMetric()
  const link = linkLoop({
    identity: credentials.stored,
    recover: credentials.recover,
    onSuperseded: () => credentials.renewal.look(),
    endpoints,
    config,
    servers,
    source: { onInventory: catalog.onInventory, inventory: (server) => catalog.inventory(server) ?? null },
    delivery,
    describe: () => describeGateway({ endpoints: [mcp.url()] }),
    activeSessions: () => mcp.activeSessions(),
    accessVersion: access.version,
    talks: [
      (outbox) => accessTalk(access, outbox),
      (outbox) => issuerKeys.talk(outbox),
      remoteCalls({
        door: mcp.door,
        stateKeyId: stateKeyId(ownStateKey),
        isAllowed: policy.rules.allowRemoteCalls,
        policyPath: policyFile(folder),
      }).attach,
      (outbox) => logStreams({ book: logs, own: ownLog, outbox, clock, log }),
      (outbox) => eventReports({ events, outbox, clock, timers }),
      (outbox, welcome) => auditBatches({ queue: audit, outbox, welcome, clock, log }),
    ],
    contact: contacts.contact(),
    onContact: contacts.saveContact,
    onAcknowledged: heartbeats.observe,
    onDecommission: decommission,
    clock,
    timers,
    log,
    random,
  })
  credentials.onRenewed(() => link.renewed())
  const metrics = gatewayMetrics({ config, servers, link, activeSessions: () => mcp.activeSessions(), audit: audit.figures })
  heartbeats.register(metrics)
  const parts: Part[] = [
    { name: 'old audit queues', start: () => removeAbandoned(join(folder, 'audit'), gatewayId, log), stop: async () => {} },
    audit.part,
    { name: 'servers', start: async () => {}, stop: () => servers.stop() },
    catalog,
    access.part,
    { name: 'config', start: () => config.start(), stop: () => config.stop() },
    mcp,
    { name: 'remembered endpoint', start: async () => contacts.saveEndpoint(mcp.port()), stop: () => contacts.flushed() },
    link,
    credentials.renewal,
    watchIdentity(folder, () => link.wake()),
    { name: 'endpoint certificate', start: async () => {}, stop: async () => certificate?.stop() },
  ]
  return { parts, mcpUrl: () => mcp.url(), wake: () => link.wake() }

  function readyz() {
    const waiting = readiness({ config, servers: { report: () => [...servers.report(), ...config.leftOut()] } })
    return waiting.length === 0 ? { status: 200, body: { status: 'ok' } } : { status: 503, body: { waiting } }
  }

  /** The configs go when the program ends, since until then something runs by them. */
  function decommission(message: string): void {
    eraseIdentity(folder).then(
      () => onDecommission(message),
      (error: unknown) => {
        log.error({ err: error }, 'the credentials of the deleted gateway could not be erased')
        onDecommission(message)
      },
    )
  }
}
