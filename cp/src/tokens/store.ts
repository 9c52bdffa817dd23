import type { Grant } from '@mcpg/proto/grants'
import type { Db, Tx } from '../db/db.ts'

/** Whose rights are the ceiling of a token. */
export type Owner = { kind: 'local' } | { kind: 'user'; accountId: string } | { kind: 'serviceaccount'; org: string; name: string }

/** A row of `tokens`, JSON columns read; times in RFC 3339. `grants` null: all that its owner may do in the organization. */
export type Token = {
  id: string
  name: string
  org: string
  workspace: string | null
  project: string | null
  sha256: string
  owner: Owner
  createdBy: string
  grants: readonly Grant[] | null
  createdAt: string
  updatedAt: string
  expiresAt: string | null
  revokedAt: string | null
  lastUsedAt: string | null
}

/** `at` in RFC 3339; `within`: the workspace of the gateway that told of it. */
export type TokenUse = { id: string; at: string; within: { org: string; workspace: string } | null }

type Row = Omit<Token, 'owner' | 'grants'> & { scope: string; ownerKind: string; owner: string; grants: string | null }
type Where = { org: string; workspace?: string; project?: string; name?: string; id?: string }

export type TokenStore = ReturnType<typeof tokenStore>

export function tokenStore({ read }: Pick<Db, 'read'>) {
  return { insert, replace, list, findBySha256, findSame, revoke, remove, used }

  async function insert(tx: Tx, token: Token): Promise<void> {
    await tx.token.create({ data: rowOf(token) })
  }

  /** The new token in the row of the old one, whose text is worth nothing from then on. */
  async function replace(tx: Tx, id: string, token: Token): Promise<void> {
    await tx.token.update({ where: { id }, data: rowOf(token) })
  }

  async function list(where: Where): Promise<Token[]> {
    return (await read.token.findMany({ where, orderBy: [{ name: 'asc' }, { id: 'asc' }] })).map(tokenOf)
  }

  async function findBySha256(sha256: string): Promise<Token | null> {
    const row = await read.token.findUnique({ where: { sha256 } })
    return row && tokenOf(row)
  }

  /** The one that has the name already, where this one is to live. */
  async function findSame(tx: Tx, token: Token): Promise<Token | null> {
    const row = await tx.token.findUnique({ where: { scope_name: { scope: scopeOf(token), name: token.name } } })
    return row && tokenOf(row)
  }

  /** False when it was revoked before. */
  async function revoke(tx: Tx, id: string, at: string): Promise<boolean> {
    const { count } = await tx.token.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: at, updatedAt: at } })
    return count === 1
  }

  async function remove(tx: Tx, id: string): Promise<boolean> {
    return (await tx.token.deleteMany({ where: { id } })).count === 1
  }

  /** `within`: of a token that can be used there; of any other nothing is written. */
  async function used(tx: Tx, { id, at, within }: TokenUse): Promise<void> {
    const there = within ? { AND: [{ OR: [{ workspace: null }, { workspace: within.workspace }] }], org: within.org } : {}
    await tx.token.updateMany({ where: { id, ...there, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: at } }] }, data: { lastUsedAt: at } })
  }
}

function tokenOf({ scope: _scope, ownerKind, owner, grants, ...row }: Row): Token {
  return {
    ...row,
    owner: ownerOf(ownerKind, owner),
    grants: grants === null ? null : (JSON.parse(grants) as Grant[]),
  }
}

function rowOf(token: Token): Row {
  const { owner, grants, ...row } = token
  return {
    ...row,
    scope: scopeOf(token),
    ownerKind: owner.kind,
    owner: ownerKey(owner),
    grants: grants === null ? null : JSON.stringify(grants),
  }
}

function ownerOf(kind: string, key: string): Owner {
  if (kind === 'user') return { kind, accountId: key }
  const [org = '', name = ''] = key.split('/')
  return kind === 'serviceaccount' ? { kind, org, name } : { kind: 'local' }
}

function ownerKey(owner: Owner): string {
  if (owner.kind === 'serviceaccount') return `${owner.org}/${owner.name}`
  return owner.kind === 'user' ? owner.accountId : ''
}

function scopeOf({ org, workspace, project, owner }: Token): string {
  return project === null ? `${org}/of/${owner.kind}/${ownerKey(owner)}` : `${org}/${workspace}/proj/${project}`
}
