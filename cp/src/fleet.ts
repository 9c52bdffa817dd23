import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { LineLog } from '@mcpg/core/line-log'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { CredentialKind } from '@mcpg/proto/gen/types'
import type { ServerSpec } from '@mcpg/proto/kinds/server'
import type { Caller } from './access/caller.ts'
import type { Audit } from './audit/audit.ts'
import type { Denials } from './audit/denials.ts'
import { gatewayIntake } from './audit/gateway-intake.ts'
import type { GatewayRuns } from './audit/gateway-runs.ts'
import { auditLedger } from './audit/ledger.ts'
import { mcpLines } from './calls/lines.ts'
import { callRoutes } from './calls/routes.ts'
import { callService } from './calls/service.ts'
import type { Changes } from './changes/changes.ts'
import { causeBook } from './config/causes.ts'
import { documentCache } from './config/documents.ts'
import { generationBook } from './config/generations.ts'
import { configHistory } from './config/history.ts'
import { configChores } from './config/retention.ts'
import { holdBook } from './config/holds.ts'
import { pinBook } from './config/pins.ts'
import { rollbackService } from './config/rollbacks.ts'
import { configRoutes } from './config/routes.ts'
import { gatewayDocuments } from './config/gateway-documents.ts'
import { configService } from './config/service.ts'
import { configStore } from './config/store.ts'
import { credentialBook } from './credentials/book.ts'
import { endpointCertificates } from './credentials/endpoint.ts'
import { recoveryService } from './credentials/recovery.ts'
import { credentialService } from './credentials/service.ts'
import { credentialStore } from './credentials/store.ts'
import type { Db } from './db/db.ts'
import { enrollmentVirtualKind } from './enrollments/kind.ts'
import type { EnrollmentLimits } from './enrollments/rate-limits.ts'
import { redemptionService, type AttestReplica } from './enrollments/redemption.ts'
import { enrollmentRoutes } from './enrollments/routes.ts'
import { enrollmentService } from './enrollments/service.ts'
import { enrollmentStore } from './enrollments/store.ts'
import { objectEvents } from './events/events.ts'
import { gatewayEvents } from './events/gateway-events.ts'
import { eventVirtualKind } from './events/kind.ts'
import { reportedEvents } from './events/reported.ts'
import { gatewayResource } from './gateways/gateway-resource.ts'
import { inventories as inventoryBodies } from './gateways/inventories.ts'
import { gatewayVirtualKind, instanceVirtualKind, toolVirtualKind } from './gateways/kinds.ts'
import { liveGateways } from './gateways/live.ts'
import { gatewayRegistry } from './gateways/registry.ts'
import { gatewayRoutes } from './gateways/routes.ts'
import { gatewayChores } from './gateways/retention.ts'
import { serverStatuses } from './gateways/server-status.ts'
import { gatewayService, type GatewayScope } from './gateways/service.ts'
import { gatewayStore, type GatewayRow } from './gateways/store.ts'
import { coalescedWrites } from './gateways/writes.ts'
import { tellRefusedRpcs } from './gateways/denials.ts'
import { grpcServer, type GrpcSettings } from './grpc/server.ts'
import type { Idempotency } from './http/idempotency.ts'
import type { AuditKey } from './keys/audit-key.ts'
import type { Authority } from './keys/authority.ts'
import type { Keys } from './keys/keys.ts'
import { linkService } from './link/service.ts'
import { logStreams } from './logs/log-streams.ts'
import { logRoutes } from './logs/routes.ts'
import { logService } from './logs/service.ts'
import { projectRoom } from './projects/projects.ts'
import type { Resources } from './resources/resources.ts'
import { secretDelivery } from './secrets/delivery.ts'
import { secretSealer } from './secrets/sealing.ts'
import type { SecretStore } from './secrets/store.ts'
import type { ValueBox } from './secrets/value-box.ts'
import type { EnvironmentPath, Tenancies } from './tenancy/tenancy.ts'
import type { ListenerCertificates } from './tls/listeners.ts'

/** The half of the composition that is about gateways: who they are, what they should run, and the streams to them. */
export function createFleet({
  db,
  keys,
  audit,
  denials,
  auditKey,
  auditRuns,
  changes,
  resources,
  secrets,
  onceOnly,
  requireWorkspace,
  requireEnvironment,
  deprovision,
  attest,
  clock,
  timers,
  log,
  ownLog,
  grpc: grpcSettings,
  authority,
  certificates,
  endpointDomains,
  limits,
  publicUrl,
  publicGrpc,
}: {
  db: Db
  keys: Keys
  audit: Audit
  denials: Denials
  auditKey: AuditKey
  auditRuns: GatewayRuns
  changes: Changes
  resources: Resources
  secrets: { store: SecretStore; box: ValueBox }
  onceOnly: Idempotency
  requireWorkspace: Tenancies['requireWorkspace']
  requireEnvironment: Tenancies['requireEnvironment']
  /** Begins to take a managed gateway away; null for one that is not managed. */
  deprovision: (caller: Caller, scope: EnvironmentPath, word: string) => Promise<object | null>
  attest: AttestReplica
  clock: Clock
  timers: Timers
  log: Log
  /** What `log` says, on disk. */
  ownLog: LineLog
  grpc: GrpcSettings
  authority: Authority
  certificates: ListenerCertificates
  /** Public names that endpoints may have at or below one of these. */
  endpointDomains: string[]
  limits: EnrollmentLimits
  /** Base of the URLs that are handed out, once the REST listener is bound. */
  publicUrl: () => string
  /** How agents reach us; null: the address of the listener. */
  publicGrpc: string | null
}) {
  const writes = coalescedWrites({ db, clock, delayMs: timers.statusFlush, log })
  const store = gatewayStore(db)
  const registry = gatewayRegistry({ store })
  const events = objectEvents({ db, writes, changes, clock })
  const happened = gatewayEvents({ tell: events.tell, registry })
  const inventories = inventoryBodies({ store, writes, clock })
  const live = liveGateways({ registry, store, writes, inventories, changes, happened, clock, timers })
  const book = credentialBook({ registry, clock })
  const present = (row: GatewayRow) => gatewayResource(row, { live, configs, certificateOf: book.get })
  const gateways = gatewayService({ db, store, registry, live, writes, audit, changes, happened, clock, present })

  const configurations = configStore(db)
  const documents = documentCache({ store: configurations })
  const holds = holdBook({ db, store: configurations, registry, happened })
  const pins = pinBook({ store: configurations, registry })
  const causes = causeBook({ store: configurations, clock })
  const generations = generationBook({ db, store: configurations, documents, registry, keys, changes, clock, timers, log })
  const configs = configService({
    store: configurations,
    documents,
    generations,
    holds,
    pins,
    causes,
    registry,
    writes,
    changes,
    happened,
    clock,
    timers,
    log,
  })
  const history = configHistory({ store: configurations, documents, generations, pins })
  const rollbacks = rollbackService({
    db,
    store: configurations,
    documents,
    generations,
    pins,
    causes,
    configs,
    audit,
    tell: events.tell,
    clock,
  })

  const rules = { controlPlaneNames: certificates.names, domains: endpointDomains }
  const endpoints = endpointCertificates({ authority, timers, rules, log })
  const credentialRows = credentialStore(db)
  const credentials = credentialService({
    db,
    store: credentialRows,
    book,
    registry,
    gateways,
    authority,
    endpoints,
    audit,
    clock,
    timers,
    log,
  })
  const recoveries = recoveryService({ book, registry, credentials, authority, clock, timers })

  const enrollmentRows = enrollmentStore(db)
  const rootPins = () => (certificates.isOurs ? authority.pins() : [])
  const enrollments = enrollmentService({ db, store: enrollmentRows, audit, changes, clock, publicUrl, rootPins, requireEnvironment })
  const redemptions = redemptionService({
    db,
    store: enrollmentRows,
    gateways,
    registry,
    credentials,
    endpoints,
    attest,
    authority,
    keys,
    audit,
    changes,
    clock,
    limits,
    credentialKind: certificates.grpc ? CredentialKind.X509 : CredentialKind.BEARER,
    grpcEndpoints: () => [hostAndPort(new URL(publicGrpc ?? grpc.address()))],
  })

  const fetchSecrets = secretDelivery({
    registry,
    documentsOf: gatewayDocuments({ read: db.read, documents, generations, registry }),
    store: secrets.store,
    box: secrets.box,
    seal: secretSealer(),
    audit,
    log,
  })
  const link = linkService({ live, registry, writes, configs, gateways, clock, timers, log })
  const streams = logStreams({ clock, log })
  const logs = logService({ link, streams, registry, live, configs, gateways, resources, ownLog, clock })
  link.join(reportedEvents({ events, registry, live }))
  const intake = gatewayIntake({ db, key: auditKey, runs: auditRuns, registry, audit, clock, log })
  link.join(intake)
  const lines = mcpLines({ clock, deadlineMs: timers.remoteCall })
  link.join(lines.talk)
  const ledger = auditLedger({ audit, clock, log })
  const calls = callService({
    lines,
    link,
    registry,
    live,
    configs,
    gateways,
    resources,
    requireWorkspace,
    audit,
    ledger,
    clock,
    deadlineMs: timers.remoteCall,
  })
  const grpc = grpcServer({
    settings: grpcSettings,
    log,
    tls: certificates.grpc && { certificate: certificates.grpc, clientAuthorities: authority.rootsPem },
    authenticate: book.identify,
    denied: tellRefusedRpcs({ denials, registry }),
    handlers: {
      connect: link.handler(),
      renewCredential: credentials.renew,
      beginRecovery: recoveries.begin,
      completeRecovery: recoveries.complete,
      fetchSecrets,
    },
    beforeClose: link.drain,
  })

  const facts = { registry, live, configs, certificateOf: book.get }
  const statuses = serverStatuses({ registry, live, configs, inventories, clock })
  resources.addVirtual(gatewayVirtualKind(facts, { remove: removeGateway }))
  resources.addVirtual(instanceVirtualKind({ registry, live, audit }, link.command))
  resources.addVirtual(toolVirtualKind({ ...facts, inventories }))
  resources.addVirtual(enrollmentVirtualKind({ store: enrollmentRows, gateways, clock }))
  resources.addVirtual(eventVirtualKind(events))
  resources.addStatus('Server', statuses.statusOf)
  projectRoom({ db, resources, registry, configs, changes, clock })
  resources.addPlacement('Server', {
    placedOn: (scope, objects) =>
      statuses.placedOn(
        scope,
        objects.map((object) => object.spec as ServerSpec),
      ),
    pinned: (scope) =>
      registry.list(scope).flatMap(({ id, name }) => {
        const pin = pins.find(id)
        return pin ? [{ gateway: name, generation: pin.generation, since: pin.since, by: pin.by }] : []
      }),
  })
  resources.addAction('Gateway', 'revoke', ({ caller, scope, resource }) => gateways.revoke(caller, scope, resource.metadata.name))
  resources.addAction('Enrollment', 'revoke', ({ caller, scope, resource }) => enrollments.revoke(caller, scope, resource.metadata.name))

  const routes: FastifyPluginAsyncZod[] = [
    enrollmentRoutes({ enrollments, redemptions, resources, onceOnly, requireEnvironment }),
    gatewayRoutes({ gateways, resources, resourceOf: present, requireEnvironment }),
    callRoutes(calls, log),
    configRoutes({ gateways, history, rollbacks, resourceOf: present, requireEnvironment, onceOnly }),
    logRoutes(logs, log, { keepAliveMs: timers.sseKeepAlive, requireEnvironment }),
  ]
  const memory: Part = {
    name: 'gateways',
    async start() {
      await events.load()
      await gateways.load()
      await credentials.load()
      await configs.load()
    },
    async stop() {
      await configs.stop()
      await ledger.flush()
      await gateways.stop()
    },
  }
  async function removeGateway(caller: Caller, scope: GatewayScope, word: string): Promise<void> {
    const row = registry.find(scope, word)
    if (!row || !(await deprovision(caller, row, row.instanceUid))) await gateways.remove(caller, scope, word)
  }
  /** Started in this order after the database; stopped the other way round. */
  const parts = [memory, grpc.part]
  const counts = () => ({ total: [...registry.all()].length, online: live.presence.online() })
  const chores = [events.chore, ...gatewayChores({ db, inventories, clock }), ...configChores({ db, clock })]
  return {
    parts,
    chores,
    routes,
    counts,
    grpcUrl: grpc.address,
    connect: link.handler(),
    identify: book.identify,
    configs,
    link,
    events,
    gatewayOf: registry.get,
    onTokenUses: intake.onTokenUses,
    registry,
    live,
    gateways,
    enrollments,
  }
}

export type Fleet = ReturnType<typeof createFleet>

/** A URL leaves out the port that its scheme implies; who dials needs it. */
const hostAndPort = ({ hostname, port, protocol }: URL): string => `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
