import { join } from 'node:path'
import { systemClock, type Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import { lineLog, type LineLog } from '@mcpg/core/line-log'
import { createLog, type Log } from '@mcpg/core/log'
import { authentication } from './accounts/authenticate.ts'
import { oidcRoom } from './accounts/oidc.ts'
import { keysWantedTalk } from './accounts/keys-wanted.ts'
import { oidcRoutes } from './accounts/oidc-routes.ts'
import { licenses } from './accounts/license.ts'
import { people } from './accounts/people.ts'
import { accountRoutes } from './accounts/routes.ts'
import { accountService, localUser } from './accounts/service.ts'
import { sessionStore } from './accounts/sessions.ts'
import { setupCode } from './accounts/setup-code.ts'
import { accessBook } from './access/book.ts'
import { impersonationService } from './access/impersonation.ts'
import { accessRoutes } from './access/routes.ts'
import { accessService } from './access/service.ts'
import { userRoom } from './access/users.ts'
import { auditTrail } from './audit/audit.ts'
import { denialBook } from './audit/denials.ts'
import { gatewayRuns } from './audit/gateway-runs.ts'
import { auditRoutes } from './audit/routes.ts'
import { auditTrailService } from './audit/service.ts'
import type { Driver } from './clusters/drivers/driver.ts'
import { localDriver } from './clusters/drivers/local.ts'
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
import { kubernetesClusters, reachOf } from './kubernetes/clusters.ts'
import { idempotency } from './http/idempotency.ts'
import { httpServer } from './http/server.ts'
import { keeper } from './keeper.ts'
import { createManaged } from './managed.ts'
import type { AtStep } from './operations/operations.ts'
import { loadAuditKey } from './keys/audit-key.ts'
import { loadAuthority } from './keys/authority.ts'
import { loadKeys, loadMasterKey } from './keys/keys.ts'
import { projectRoutes } from './projects/routes.ts'
import { resourceEngine } from './resources/resources.ts'
import { resourceRoutes } from './resources/routes.ts'
import { seeding } from './seeds/seeding.ts'
import { secretChores } from './secrets/retention.ts'
import { secretRoom } from './secrets/secrets.ts'
import { secretStore } from './secrets/store.ts'
import { valueBox } from './secrets/value-box.ts'
import { serverRoom } from './servers/servers.ts'
import { templateRoom } from './templates/templates.ts'
import { tenancyRoutes } from './tenancy/routes.ts'
import { tenancyService } from './tenancy/tenancy.ts'
import { tokenRoutes } from './tokens/routes.ts'
import { tokenRoom } from './tokens/tokens.ts'
import { listenerCertificates } from './tls/listeners.ts'

/**
 * What a test may replace, and where the log goes instead of standard error. Everything else is the real thing. `atStep` is called before
 * and after every step of an operation.
 */
export type Overrides = { clock?: Clock; logTo?: { write(line: string): unknown }; drivers?: readonly Driver[]; atStep?: AtStep }

/** Builds the whole control plane, outermost last. Nothing is constructed anywhere else. */
export async function createApp(config: Config, overrides: Overrides = {}) {
  const { clock = systemClock, logTo, drivers, atStep } = overrides
  const ownLog = lineLog({ folder: join(config.stateDir, 'logs', 'control-plane'), clock })
  ownLog.begin()
  const log = createLog(config.log, {
    sink: logTo && { write: (line) => void logTo.write(line) },
    keep: (text) => ownLog.write('control-plane', text),
  })
  const db = await openDatabase(config.database, log)
  try {
    return await compose({ config, db, log, ownLog, clock, drivers, atStep })
  } catch (error) {
    await db.stop()
    throw error
  }
}

async function compose({
  config,
  db,
  log,
  ownLog,
  clock,
  drivers,
  atStep,
}: { config: Config; db: Db; log: Log; ownLog: LineLog; clock: Clock } & Pick<Overrides, 'drivers' | 'atStep'>) {
  const audit = auditTrail({ db, clock })
  const changes = changeBus({ clock })
  changes.onError((error) => log.error({ err: error }, 'a subscriber of changes failed'))

  const tenancy = tenancyService({ db, audit, clock })
  await tenancy.ensureDefaults()

  const { requireScope, requireWorkspace, requireEnvironment } = tenancy
  const masterKey = await loadMasterKey(db, config.masterKeyPath)
  const keys = await loadKeys({ db, masterKey, clock })
  const denials = denialBook({ db, audit, clock, log })
  const auditRuns = gatewayRuns({ db })
  const auditKey = await loadAuditKey({ db, masterKey, clock })
  const trail = auditTrailService({ db, audit, key: auditKey, runs: auditRuns, nameOf: (id) => fleet.gatewayOf(id)?.name, clock, log })
  const resources = resourceEngine({ db, audit, changes, clock, requireScope })
  serverRoom({ db, audit, changes, resources })
  templateRoom({ resources })
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
    denials,
    auditKey,
    auditRuns,
    changes,
    resources,
    secrets,
    onceOnly,
    requireWorkspace,
    requireEnvironment,
    deprovision: (...about) => managed.deprovision(...about),
    attest: (...about) => managed.attest(...about),
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
  const ownDrivers = config.local
    ? [localDriver({ ...config.local, stateDir: config.stateDir, controlPlane: fleet.grpcUrl, probeMs: timers.managedProbe, clock, log })]
    : []
  const kubernetes = kubernetesClusters({ keys, reach: () => reachOf(endpoints()), image: config.gatewayImage, clock })
  const managed = await createManaged({
    db,
    audit,
    onceOnly,
    fleet,
    requireScope,
    requireEnvironment,
    clock,
    timers,
    log,
    atStep,
    drivers: drivers ?? [...ownDrivers, kubernetes.driver],
    sealAccess: kubernetes.seal,
    dnsServers: config.dnsServers,
    stateDir: config.stateDir,
    ownUrl: () => http.url(),
    publicUrl: () => endpoints().http,
  })
  const gateways = async () => fleet.counts()
  const metrics = metricsOf({ gateways, database: db })
  const sessions = sessionStore({ db, clock })
  const setup = setupCode(config.stateDir)
  const { authMode } = config
  const book = accessBook({ db, changes })
  const platformAdmins = async () => (await db.read.account.findMany({ where: { platformAdmin: true } })).map(({ email }) => email)
  const access = accessService({ book, platformAdmins })
  const joined = (account: { email: string; displayName: string | null }) => users.ensure(account)
  const changed = () => machines.peopleChanged()
  const accounts = accountService({ db, audit, clock, mode: authMode, sessions, setup, joined, changed })
  const oidc =
    config.oidc && oidcRoom(config.oidc, { db, audit, clock, log, sessions, joined, changed, publicUrl: () => endpoints().console })
  const oidcUser = oidc?.userOf ?? localUser
  const personOf = people({ accounts, mode: authMode, oidcUser })
  const machines = tokenRoom({
    db,
    audit,
    changes,
    resources,
    clock,
    log,
    mode: authMode,
    grantsOf: access.effectiveGrants,
    personOf,
    vouched: async () => (oidc ? await oidc.vouched() : null),
    requireOrg: tenancy.requireVisibleOrg,
    keys,
    gatewayOf: fleet.gatewayOf,
    ackDeadlineMs: timers.ackDeadline,
  })
  fleet.link.join(machines.offers)
  if (oidc) fleet.link.join(keysWantedTalk(oidc, log))
  fleet.onTokenUses(machines.usedAtGateways)
  const bearers = [machines.bearer, ...(oidc ? [oidc.bearer] : [])]
  const authenticate = authentication({ mode: authMode, sessions, accounts, bearers, oidcUser })
  const control = controlService({ db, audit, clock, log, authMode, gateways, endpoints: () => endpoints() })

  const secureCookie = config.http.tls || (config.external.url?.startsWith('https:') ?? false)
  const impersonations = impersonationService({ db, audit, clock, personOf, mayImpersonate: access.mayImpersonate })
  const warn = (error: unknown, message: string) => log.warn({ err: error }, message)
  const users = userRoom({ db, resources, changes, book, access, accounts, mode: authMode, personOf, warn })
  if (authMode !== 'none') await users.ensureAll()
  const seeds = await seeding({ db, resources, folder: config.seedsFolder })
  const features = [
    accessRoutes(access),
    controlRoutes(control, metrics.registry, authority.rootsPem),
    accountRoutes(accounts, licenses({ publicKey: config.licensePublicKey, clock }), impersonations, book, {
      mode: authMode,
      issuer: oidc?.shown ?? null,
      secureCookie,
    }),
    oidcRoutes(oidc?.party ?? null, { publicUrl: () => endpoints().console, secureCookie }),
    tenancyRoutes(tenancy, onceOnly),
    auditRoutes(trail, log, { requireOrg: async (caller, org) => void (await tenancy.orgs.get(caller, { org })) }),
    resourceRoutes(resources, onceOnly),
    projectRoutes(resources),
    watchRoutes(watches, log, { keepAliveMs: timers.sseKeepAlive, requireScope, kinds: resources.known() }),
    tokenRoutes(machines, onceOnly),
    ...fleet.routes,
    ...managed.routes,
  ]
  const http = await httpServer(config.http, log, features, {
    tls: certificates.http && { certificate: certificates.http, names: certificates.names },
    signIn:
      authMode === 'none'
        ? null
        : { authenticate: impersonations.authenticating(authenticate), callerFor: access.callerOf, actFor: impersonations.actFor },
    denied: denials.note,
  })
  const endpoints = () => ({
    http: config.external.url ?? http.url(),
    grpc: config.external.grpc ?? fleet.grpcUrl(),
    console: config.external.url ?? http.url(),
  })

  // First to start, so that it is the last to stop: what the others say at their end is on disk then.
  const logFile: Part = { name: 'log', start: async () => {}, stop: () => ownLog.flushed() }
  const bus: Part = { name: 'changes', start: async () => {}, stop: async () => changes.stop() }
  const chores = [
    history.chore,
    trail.chore,
    onceOnly.chore,
    sessions.chore,
    ...secretChores({ db, clock }),
    ...fleet.chores,
    ...managed.chores,
  ]
  const renewals: Part = { name: 'certificates', start: async () => {}, stop: async () => certificates.stop() }
  const parts: Part[] = [
    logFile,
    db,
    trail.part,
    denials.part,
    bus,
    renewals,
    keeper({ chores, clock, log }),
    metrics,
    ...machines.parts,
    ...(oidc ? [oidc.part] : []),
    seeds,
    ...fleet.parts,
    http,
    ...managed.parts,
  ]
  /** Of the roots behind the REST listener, where its certificate is ours; for the programs of this machine. */
  const pins = () => (certificates.http && certificates.isOurs ? authority.pins().map((pin) => `sha256:${pin}`) : [])
  /** The code that creates the first user; null once there is one, or where nobody signs in with a password. */
  const firstUserCode = async () => ((await accounts.needsSetup()) ? await setup.ensure() : null)
  return { parts, http, firstUserCode, pins, db, changes, resources, control, fleet, managed, authority, log }
}

export type App = Awaited<ReturnType<typeof createApp>>
