import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { projectKind } from '@mcpg/proto/kinds/project'
import { serviceAccountKind } from '@mcpg/proto/kinds/service-account'
import type { AuthMode } from '@mcpg/proto/rest/auth'
import { everything, type Grant } from '@mcpg/proto/grants'
import type { Vouched } from '../accounts/oidc.ts'
import { subjectOf } from '../access/caller.ts'
import type { Principal } from '../access/principal.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { Keys } from '../keys/keys.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeOfKey } from '../resources/scope.ts'
import { tokenBearer } from './bearer.ts'
import { accessDocuments } from './document/documents.ts'
import { endpointAccesses } from './document/environments.ts'
import { accessOffers } from './document/offers.ts'
import { tokenVirtualKind } from './kind.ts'
import { tokenService } from './service.ts'
import { tokenStore, type Owner } from './store.ts'
import { tokenUses } from './uses.ts'

/** Kinds that say who may do what. */
const whoMayDoWhat: ReadonlySet<string> = new Set(['User', 'Group', 'Role', 'RoleBinding', 'ServiceAccount'])

/** Everything about tokens: those who make them, those who show them, and the kind McpToken. */
export function tokenRoom({
  db,
  audit,
  changes,
  resources,
  clock,
  log,
  mode,
  grantsOf,
  personOf,
  vouched,
  requireOrg,
  keys,
  gatewayOf,
  ackDeadlineMs,
}: {
  db: Pick<Db, 'read' | 'write'>
  audit: Pick<Audit, 'record'>
  changes: Pick<Changes, 'publish' | 'status' | 'onChange'>
  resources: Pick<Resources, 'get' | 'addVirtual' | 'addAction'>
  clock: Clock
  log: Log
  mode: AuthMode
  grantsOf: (principal: Principal) => Promise<readonly Grant[]>
  /** The person of an account as they sign in here; null when they no longer can. */
  personOf: (accountId: string) => Promise<Principal | null>
  /** Whose id_tokens count; null for nobody's. */
  vouched: () => Promise<Vouched | null>
  requireOrg: Parameters<typeof tokenService>[0]['requireOrg']
  keys: Pick<Keys, 'signAccess'>
  /** Where an enrolled gateway is. */
  gatewayOf: (gatewayId: string) => { org: string; workspace: string } | undefined
  /** After so long without an answer an offer is sent again. */
  ackDeadlineMs: number
}) {
  const store = tokenStore(db)
  const tokens = tokenService({
    db,
    store,
    audit,
    changes,
    clock,
    ownerOf,
    requireOrg,
    requireAccount: async (caller, { org, name }) => void (await resources.get(caller, serviceAccountKind, { org }, name)),
    requireProject: async (caller, { project, ...scope }) => void (await resources.get(caller, projectKind, scope, project)),
  })
  const entrances = endpointAccesses({ db, audit, changed: (path) => documents.recompile(path) })
  const documents = accessDocuments({ db, store, ownerOf, vouched, grantsOf, environmentsOf: entrances.ofWorkspace, clock, log })
  tokens.onChange(documents.touch)
  changes.onChange(({ type, kind, scope, name }) => {
    const place = scopeOfKey(scope)
    if (whoMayDoWhat.has(kind)) documents.recompile(place)
    if (type !== 'DELETED' || kind !== projectKind.kind || place.workspace === undefined) return
    void tokens
      .removeOfProject({ org: place.org, workspace: place.workspace, project: name })
      .catch((error: unknown) => log.error({ err: error, project: name }, 'the tokens of a deleted project could not be deleted'))
  })
  const offers = accessOffers({ documents, placeOf: gatewayOf, keys, clock, ackDeadlineMs, log })
  const uses = tokenUses({ db, store, clock, log })
  const bearer = tokenBearer({ store, clock, personOf: principalOf, onUse: uses.used })
  resources.addVirtual(tokenVirtualKind({ store, tokens, clock }))
  resources.addAction('McpToken', 'revoke', ({ caller, scope, resource }) =>
    tokens.revoke({ caller, principal: null }, scope, resource.metadata.name),
  )
  const documentPart: Part = { name: 'access documents', start: async () => {}, stop: documents.stop }
  return {
    tokens,
    entrances,
    bearer,
    offers,
    usedAtGateways: uses.usedAtGateways,
    peopleChanged: documents.recompileAll,
    parts: [uses.part, documentPart],
  }

  async function principalOf(owner: Owner): Promise<Principal | null> {
    if (owner.kind === 'user') return await personOf(owner.accountId)
    if (owner.kind === 'local') return null
    const { kind, org, name } = owner
    const where = { scope_kind_name: { scope: org, kind: serviceAccountKind.kind, name } }
    return (await db.read.resource.findUnique({ where, select: { uid: true } })) ? { kind, org, name } : null
  }

  /** Who made a token while nobody had to sign in has no rights any more once somebody must. */
  async function ownerOf(owner: Owner) {
    if (owner.kind === 'local') return mode === 'none' ? { subject: 'local', grants: everything } : null
    const principal = await principalOf(owner)
    return principal && { subject: subjectOf(principal), grants: await grantsOf(principal) }
  }
}
