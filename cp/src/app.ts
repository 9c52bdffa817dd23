import { join } from 'node:path'
import { systemClock, type Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import { lineLog, type LineLog } from '@mcpg/core/line-log'
import { createLog, type Log } from '@mcpg/core/log'
import { auditTrail } from './audit/audit.ts'
import { changeBus } from './changes/changes.ts'
import { changeHistory } from './changes/history.ts'
import { watchRoutes } from './changes/routes.ts'
import { watchService } from './changes/watch.ts'
import type { Config } from './config.ts'
import { controlService } from './control/control.ts'
import { metricsOf } from './control/metrics.ts'
import { controlRoutes } from './control/routes.ts'
import { openDatabase, type Db } from './db/db.ts'
import { createFleet } from './fleet.ts'
import { idempotency } from './http/idempotency.ts'
import { httpServer } from './http/server.ts'
import { keeper } from './keeper.ts'
import { loadAuthority } from './keys/authority.ts'
import { loadKeys, loadMasterKey } from './keys/keys.ts'
import { resourceEngine } from './resources/resources.ts'
import { resourceRoutes } from './resources/routes.ts'
import { secretChores } from './secrets/retention.ts'
import { secretRoom } from './secrets/secrets.ts'
import { secretStore } from './secrets/store.ts'
import { valueBox } from './secrets/value-box.ts'
import { serverRoom } from './servers/servers.ts'
import { tenancyRoutes } from './tenancy/routes.ts'
import { tenancyService } from './tenancy/tenancy.ts'
import { listenerCertificates } from './tls/listeners.ts'

/** What a test may replace, and where the log goes instead of standard error. Everything else is the real thing. */
export type Overrides = { clock?: Clock; logTo?: { write(line: string): unknown } }

/** Builds the whole control plane, outermost last. Nothing is constructed anywhere else. */
export async function createApp(config: Config, overrides: Overrides = {}) {
  const { clock = systemClock, logTo } = overrides
  const ownLog = lineLog({ folder: join(config.stateDir, 'logs', 'control-plane'), clock })
  ownLog.begin()
  const log = createLog(config.log, {
    sink: logTo && { write: (line) => void logTo.write(line) },
    keep: (text) => ownLog.write('control-plane', text),
  })
  const db = await openDatabase(config.database, log)
  try {
    return await compose({ config, db, log, ownLog, clock })
  } catch (error) {
    await db.stop()
    throw error
  }
}

async function compose({ config, db, log, ownLog, clock }: { config: Config; db: Db; log: Log; ownLog: LineLog; clock: Clock }) {
  const audit = auditTrail({ db, clock })
  const changes = changeBus({ clock })
  changes.onError((error) => log.error({ err: error }, 'a subscriber of changes failed'))

  const tenancy = tenancyService({ db, audit, clock })
  await tenancy.ensureDefaults()

  const { requireWorkspace, requireEnvironment } = tenancy
  const masterKey = await loadMasterKey(db, config.masterKeyPath)
  const keys = await loadKeys({ db, masterKey, clock })
  const resources = resourceEngine({ db, audit, changes, clock, requireWorkspace })
  serverRoom({ db, audit, changes, resources })
  const history = changeHistory({ db, clock })
  const watches = watchService({ changes, history, resources })
  const onceOnly = idempotency({ db, keys, clock })
  const secrets = { store: secretStore(db.read), box: valueBox(keys) }
  secretRoom({ db, ...secrets, audit, changes, resources })

  const { timers } = config
  const authority = await loadAuthority({ db, masterKey, clock, timers, log })
  const certificates = await listenerCertificates({ config, authority, clock, timers, log })
  if (config.http.tls && !config.grpc.tls && config.external.grpc === null)
    log.warn({ bind: config.grpc.host }, 'gateways of other machines can enroll but not connect: name an address with --bind-grpc')
  if (config.openToOthers)
    log.warn(
      { bind: config.http.host },
      'nobody has to sign in, and other machines can reach this control plane: whoever reaches it may do everything',
    )
  const fleet = createFleet({
    db,
    keys,
    audit,
    changes,
    resources,
    secrets,
    onceOnly,
    requireWorkspace,
    requireEnvironment,
    clock,
    timers,
    log,
    ownLog,
    grpc: config.grpc,
    authority,
    certificates,
    endpointDomains: config.endpointDomains,
    limits: config.enrollmentLimits,
    publicUrl: () => endpoints().http,
    publicGrpc: config.external.grpc,
  })
  const gateways = async () => fleet.counts()
  const metrics = metricsOf({ gateways, database: db })
  const control = controlService({ db, audit, clock, log, gateways, endpoints: () => endpoints() })

  const features = [
    controlRoutes(control, metrics.registry, authority.rootsPem),
    tenancyRoutes(tenancy, onceOnly),
    resourceRoutes(resources, onceOnly),
    watchRoutes(watches, log, { keepAliveMs: timers.sseKeepAlive, requireWorkspace, kinds: resources.known() }),
    ...fleet.routes,
  ]
  const http = await httpServer(
    config.http,
    log,
    features,
    certificates.http && { certificate: certificates.http, names: certificates.names },
  )
  const endpoints = () => ({
    http: config.external.url ?? http.url(),
    grpc: config.external.grpc ?? fleet.grpcUrl(),
    console: config.external.url ?? http.url(),
  })

  // First to start, so that it is the last to stop: what the others say at their end is on disk then.
  const logFile: Part = { name: 'log', start: async () => {}, stop: () => ownLog.flushed() }
  const bus: Part = { name: 'changes', start: async () => {}, stop: async () => changes.stop() }
  const chores = [history.chore, audit.chore, onceOnly.chore, ...secretChores({ db, clock }), ...fleet.chores]
  const renewals: Part = { name: 'certificates', start: async () => {}, stop: async () => certificates.stop() }
  const parts: Part[] = [logFile, db, bus, renewals, keeper({ chores, clock, log }), metrics, ...fleet.parts, http]
  /** Of the roots behind the REST listener, where its certificate is ours; for the programs of this machine. */
  const pins = () => (certificates.http && certificates.isOurs ? authority.pins().map((pin) => `sha256:${pin}`) : [])
  return { parts, http, pins, db, changes, resources, control, fleet, authority, log }
}

export type App = Awaited<ReturnType<typeof createApp>>
