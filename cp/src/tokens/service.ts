import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Place } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { within, type Grant } from '@mcpg/proto/grants'
import { findKind } from '@mcpg/proto/kinds'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Binding, CreatedToken, CreateMcpToken, CreateToken, Introspection } from '@mcpg/proto/rest/tokens'
import { localCaller, type Caller } from '../access/caller.ts'
import type { Principal } from '../access/principal.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db, Tx } from '../db/db.ts'
import { scopeKey, type Scope } from '../resources/scope.ts'
import { effectiveGrants, everythingAt, grantsOfBindings, ownGrants, refuseBeyond } from './ceiling.ts'
import { expiryOf } from './expiry.ts'
import { stateOf, tokenResource } from './resource.ts'
import { newToken, sha256Of } from './secret.ts'
import type { Owner, Token, TokenStore } from './store.ts'

/** Who asks; `principal` is null where nobody has to sign in. */
export type Asking = { caller: Caller; principal: Principal | null }
export type ProjectPath = { org: string; workspace: string; project: string }
export type Tokens = ReturnType<typeof tokenService>

/** Bearers of programs: made, listed, revoked, deleted, and asked about. */
export function tokenService({
  db,
  store,
  audit,
  changes,
  clock,
  ownerOf,
  requireOrg,
  requireProject,
  requireAccount,
}: {
  db: Pick<Db, 'write'>
  store: TokenStore
  audit: Pick<Audit, 'record'>
  changes: Pick<Changes, 'publish' | 'status'>
  clock: Clock
  /** What the owner of a token may do now; null when there is nobody any more. */
  ownerOf: (owner: Owner) => Promise<{ subject: string; grants: readonly Grant[] } | null>
  requireOrg: (caller: Caller, org: string) => Promise<void>
  /** Throws not_found for a project that the caller cannot see. */
  requireProject: (caller: Caller, path: ProjectPath) => Promise<void>
  /** The same of a service account. */
  requireAccount: (caller: Caller, account: { org: string; name: string }) => Promise<void>
}) {
  const listeners: ((token: Token) => void)[] = []
  return {
    create,
    createForProject,
    list,
    get,
    revoke,
    remove,
    removeOfProject,
    introspect,
    onChange: (listener: (token: Token) => void) => void listeners.push(listener),
  }

  /** A token of the person who asks, or of a service account that they may edit. */
  async function create(asking: Asking, { org }: { org: string }, body: CreateToken): Promise<CreatedToken> {
    await requireOrg(asking.caller, org)
    const { held, ...maker } = makerOf(asking)
    if (asking.principal?.kind === 'token')
      throw new McpgError('forbidden', 'tokens_make_no_tokens', 'A token cannot make tokens of its owner.', {
        hint: 'sign in: mcpg-ctl login',
      })
    const grants = body.bind ? grantsOfBindings(body.bind, () => ({ org, workspace: body.workspace })) : null
    if (body.serviceAccount === undefined) {
      if (grants) refuseBeyond(grants, held)
      return await make(asking, { ...blank(org, maker, body), grants }, { isReplacing: false })
    }
    const account = await requireServiceAccount(asking.caller, org, body.serviceAccount)
    refuseBeyond(effectiveGrants({ org, grants }, account.grants), held)
    return await make(asking, { ...blank(org, { ...maker, owner: account.owner }, body), grants }, { isReplacing: false })
  }

  /** A token of an MCP client, which uses one project. */
  async function createForProject(asking: Asking, path: ProjectPath, body: CreateMcpToken): Promise<CreatedToken> {
    await requireProject(asking.caller, path)
    const { held, ...maker } = makerOf(asking)
    const bound = grantsOfBindings(body.bind ?? [], (binding) => placeInProject(path, binding))
    const runs = bound.some((grant) => 'on' in grant && grant.verbs.includes('run'))
    const base: Grant[] =
      body.rbac === 'clone' ? within(everythingAt(path), held) : runs ? [] : [{ place: path, verbs: ['run'], on: 'servers' }]
    const grants = [...base, ...bound]
    refuseBeyond(grants, held)
    const { workspace, project } = path
    return await make(asking, { ...blank(path.org, maker, body), workspace, project, grants }, { isReplacing: body.force })
  }

  /** Throws forbidden for one that the caller may look at and not edit: whoever makes its tokens is it. */
  async function requireServiceAccount(caller: Caller, org: string, name: string): Promise<{ owner: Owner; grants: readonly Grant[] }> {
    await requireAccount(caller, { org, name })
    if (!caller.can({ verb: 'edit', on: 'serviceaccounts' }, { org }, name))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs edit on serviceaccounts/${name}.`, {
        hint: 'mcpg-ctl can-i --list',
      })
    const owner: Owner = { kind: 'serviceaccount', org, name }
    return { owner, grants: (await ownerOf(owner))?.grants ?? [] }
  }

  async function make({ caller }: Asking, fresh: Omit<Token, 'sha256'>, { isReplacing }: { isReplacing: boolean }): Promise<CreatedToken> {
    const text = newToken()
    const token: Token = { ...fresh, sha256: sha256Of(text) }
    const replaced = await db.write(async (tx) => {
      const same = await store.findSame(tx, token)
      if (same && !isReplacing) throw nameTaken(token)
      if (same) await store.replace(tx, same.id, token)
      else await store.insert(tx, token)
      await audit.record(tx, caller, same ? 'token.replace' : 'token.create', targetOf(token))
      return same
    })
    if (replaced) told(replaced, 'DELETED')
    told(token, 'ADDED')
    const { name, id, project, expiresAt } = token
    return { name, id, token: text, ...(project !== null && { project }), ...(expiresAt !== null && { expiresAt }) }
  }

  /** Those of the person who asks, and those that they may look at. */
  async function list(asking: Asking, org: string): Promise<Resource[]> {
    await requireOrg(asking.caller, org)
    return (await store.list({ org })).filter((token) => mayTouch('view', asking, token)).map((token) => tokenResource(token, clock.now()))
  }

  async function get(asking: Asking, org: string, name: string): Promise<Resource> {
    await requireOrg(asking.caller, org)
    return tokenResource(await find(asking, org, name), clock.now())
  }

  /** Stops it for ever and keeps its row; repeating it changes nothing. */
  async function revoke(asking: Asking, where: Scope, name: string): Promise<void> {
    await requireOrg(asking.caller, where.org)
    const token = await find(asking, where, name, 'delete')
    const at = isoTime(clock.now())
    const done = await db.write(async (tx) => {
      const isFirst = await store.revoke(tx, token.id, at)
      if (isFirst) await audit.record(tx, asking.caller, 'token.revoke', targetOf(token))
      return isFirst
    })
    if (done) told({ ...token, revokedAt: at }, 'STATUS')
  }

  /** Stops it for ever and forgets it. */
  async function remove(asking: Asking, where: Scope, name: string): Promise<void> {
    await requireOrg(asking.caller, where.org)
    const token = await find(asking, where, name, 'delete')
    const done = await db.write(async (tx: Tx) => {
      const isFirst = await store.remove(tx, token.id)
      if (isFirst) await audit.record(tx, asking.caller, 'token.delete', targetOf(token))
      return isFirst
    })
    if (done) told(token, 'DELETED')
  }

  /** Those of a project that is gone: another one of its name is another one. */
  async function removeOfProject(path: ProjectPath): Promise<void> {
    const tokens = await store.list(path)
    if (tokens.length === 0) return
    const itself = { ...localCaller({ source: '', requestId: '' }), subject: 'control-plane' }
    await db.write(async (tx) => {
      for (const token of tokens) {
        await store.remove(tx, token.id)
        await audit.record(tx, itself, 'token.delete', targetOf(token))
      }
    })
    for (const token of tokens) told(token, 'DELETED')
  }

  /** What a token may do now, told to itself, to its owner, and to whoever may look at it. */
  async function introspect(asking: Asking, text: string): Promise<Introspection> {
    const token = await store.findBySha256(sha256Of(text))
    if (!token || stateOf(token, clock.now()) !== 'active') return { active: false }
    const isItself = asking.principal?.kind === 'token' && asking.principal.tokenId === token.id
    if (!isItself && !mayTouch('view', asking, token)) return { active: false }
    const owner = await ownerOf(token.owner)
    if (!owner) return { active: false }
    const { name, id, org, workspace, project, expiresAt } = token
    return {
      active: true,
      name,
      id,
      subject: owner.subject,
      org,
      ...(workspace !== null && { workspace }),
      ...(project !== null && { project }),
      ...(expiresAt !== null && { expiresAt }),
      grants: effectiveGrants(token, owner.grants).map(plain),
    }
  }

  function makerOf({ caller, principal }: Asking): { owner: Owner; createdBy: string; held: readonly Grant[] } {
    if (caller.impersonator !== undefined)
      throw new McpgError('forbidden', 'no_tokens_for_others', 'Whoever acts for somebody else makes no tokens: these would outlast it.')
    const createdBy = caller.subject
    if (principal === null) return { owner: { kind: 'local' }, createdBy, held: caller.grants }
    const person = principal.kind === 'token' ? principal.owner : principal
    if (person.kind !== 'user') throw new McpgError('forbidden', 'no_person', 'Only people make tokens.', { hint: 'mcpg-ctl login' })
    return { owner: { kind: 'user', accountId: person.accountId }, createdBy, held: caller.grants }
  }

  function blank(org: string, { owner, createdBy }: { owner: Owner; createdBy: string }, { name, ttl }: Pick<CreateToken, 'name' | 'ttl'>) {
    const now = clock.now()
    const at = isoTime(now)
    const id = `tok_${randomBytes(8).toString('hex')}`
    const nothing = { workspace: null, project: null, revokedAt: null, lastUsedAt: null }
    return { ...nothing, id, name, org, owner, createdBy, createdAt: at, updatedAt: at, expiresAt: expiryOf(ttl, now) }
  }

  /** By name or id. Throws not_found also for one that is none of the caller's business. */
  async function find(asking: Asking, where: string | Scope, name: string, verb: 'view' | 'delete' = 'view'): Promise<Token> {
    const { org, workspace, project }: Scope = typeof where === 'string' ? { org: where } : where
    const place = { org, ...(workspace !== undefined && { workspace }), ...(project !== undefined && { project }) }
    const all = [...(await store.list({ ...place, name })), ...(await store.list({ ...place, id: name }))]
    const seen = all.filter((token) => mayTouch('view', asking, token) || mayTouch(verb, asking, token))
    if (seen.length > 1)
      throw new McpgError('conflict', 'token_ambiguous', `There are ${seen.length} tokens with the name ${name}.`, {
        hint: `say which by its id: ${seen.map(({ id, project, createdBy }) => `${id} (${project ?? createdBy})`).join(', ')}`,
      })
    const [token] = seen
    if (!token) throw new McpgError('not_found', 'token_unknown', `There is no token ${name}.`, { hint: 'mcpg-ctl token list' })
    if (!mayTouch(verb, asking, token))
      throw new McpgError('forbidden', 'not_allowed', `${asking.caller.subject} may not ${verb} the token ${name}.`)
    return token
  }

  function told(token: Token, type: 'ADDED' | 'DELETED' | 'STATUS'): void {
    for (const listener of listeners) listener(token)
    if (token.workspace === null || token.project === null) return
    const scope = scopeKey({ org: token.org, workspace: token.workspace, project: token.project })
    if (type === 'STATUS') changes.status(scope, 'McpToken', token.name)
    else changes.publish({ type, scope, kind: 'McpToken', name: token.name })
  }
}

/** A token of theirs is nobody's but a person's own business: a token is not its owner. */
function mayTouch(verb: 'view' | 'delete', { caller, principal }: Asking, token: Token): boolean {
  const isOwn = principal?.kind === 'user' && token.owner.kind === 'user' && token.owner.accountId === principal.accountId
  const ofAccount =
    token.owner.kind === 'serviceaccount' && caller.can({ verb: 'edit', on: 'serviceaccounts' }, token.owner, token.owner.name)
  return isOwn || ofAccount || caller.can({ verb, on: 'tokens' }, placeOf(token), token.name)
}

const placeOf = ({ org, workspace, project }: Token): Place =>
  workspace === null ? { org } : { org, workspace, project: project ?? undefined }

/** What lives in the workspace is bound there, and used and everything else in the project. */
function placeInProject(path: ProjectPath, binding: Binding): Place {
  const kind = 'resource' in binding && binding.role !== 'run' ? findKind(binding.resource) : undefined
  return kind?.scope === 'workspace' ? { org: path.org, workspace: path.workspace } : { ...path }
}

const plain = (grant: Grant) =>
  'on' in grant
    ? { place: grant.place, verbs: [...grant.verbs], on: grant.on, ...(grant.names && { names: [...grant.names] }) }
    : { place: grant.place, operations: [...grant.operations] }

function nameTaken({ name, project }: Token): McpgError {
  return new McpgError(
    'conflict',
    'already_exists',
    `There is a token ${name}${project === null ? ' of yours' : ` of the project ${project}`} already.`,
    {
      hint:
        project === null
          ? 'choose another name, or delete the old one'
          : 'choose another name, or replace the old one with --force, which stops it',
    },
  )
}

function targetOf(token: Token) {
  const { org, workspace, project, name, id, expiresAt } = token
  const detail = { ...(project !== null && { project }), expiresAt, grants: ownGrants(token).length }
  return { org, workspace: workspace ?? undefined, kind: 'McpToken', name, uid: id, detail }
}

const isoTime = (ms: number): string => new Date(ms).toISOString()
