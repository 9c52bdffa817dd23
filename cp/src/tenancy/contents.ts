import { McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import type { Caller } from '../access/caller.ts'
import type { Tx } from '../db/db.ts'
import { projectsOf } from '../resources/scope.ts'

/** How many things of a sort live somewhere, and names of some of them: those the caller may see. */
export type Held = { what: string; count: number; names: string[] }

type At = { org: string; workspace?: string; environment?: string }
type Names = { name: string; on: string; kind?: string }

const mostNames = 5
/** Read at most, to find some that may be seen. */
const few = { take: 50, orderBy: { name: 'asc' } } as const

/** What keeps an organization, a workspace or an environment from being deleted; `now` decides which enrollments are open. */
export async function contentsOf(caller: Caller, tx: Tx, at: At, now: string): Promise<Held[]> {
  if (at.environment !== undefined) return [await gateways(at), await managedGateways(at), await openEnrollments(at)]
  if (at.workspace !== undefined) return [await environments(at), await objects(`${at.org}/${at.workspace}`), await gateways(at)]
  return [await workspaces(), await objects(at.org)]

  async function workspaces(): Promise<Held> {
    const where = { org: at.org }
    const rows = await tx.workspace.findMany({ where, select: { name: true }, ...few })
    return held(
      'workspaces',
      await tx.workspace.count({ where }),
      rows.map(({ name }) => ({ name, on: 'workspaces' })),
    )
  }

  async function environments(where: At): Promise<Held> {
    const rows = await tx.environment.findMany({ where, select: { name: true }, ...few })
    return held(
      'environments',
      await tx.environment.count({ where }),
      rows.map(({ name }) => ({ name, on: 'environments' })),
    )
  }

  async function objects(scope: string): Promise<Held> {
    const where = scope.includes('/') ? { OR: [{ scope }, { scope: projectsOf(scope) }] } : { scope }
    const rows = await tx.resource.findMany({ where, select: { kind: true, name: true }, ...few })
    const named = rows.map(({ kind, name }) => ({ kind, name, on: findKind(kind)?.plural ?? kind }))
    return held('objects', await tx.resource.count({ where }), named)
  }

  async function gateways(where: At): Promise<Held> {
    const rows = await tx.gateway.findMany({ where, select: { name: true }, ...few })
    return held(
      'gateways',
      await tx.gateway.count({ where }),
      rows.map(({ name }) => ({ name, on: 'gateways' })),
    )
  }

  /** Those that are being made or taken away have no other row. */
  async function managedGateways(where: At): Promise<Held> {
    const rows = await tx.managedGateway.findMany({ where, select: { name: true }, ...few })
    return held(
      'managed gateways',
      await tx.managedGateway.count({ where }),
      rows.map(({ name }) => ({ name, on: 'gateways' })),
    )
  }

  async function openEnrollments(of: At): Promise<Held> {
    const where = { ...of, revokedAt: null, expiresAt: { gt: now } }
    const rows = await tx.enrollment.findMany({ where, select: { name: true }, ...few })
    return held(
      'open enrollments',
      await tx.enrollment.count({ where }),
      rows.map(({ name }) => ({ name, on: 'enrollments' })),
    )
  }

  function held(what: string, count: number, rows: Names[]): Held {
    const seen = rows.filter(({ name, on }) => caller.can({ verb: 'view', on }, at, name))
    return { what, count, names: seen.slice(0, mostNames).map(({ kind, name }) => (kind ? `${kind.toLowerCase()}/${name}` : name)) }
  }
}

/** Throws `conflict` naming what is there. */
export function refuseUsed(noun: string, path: string, contents: Held[]): void {
  const held = contents.filter(({ count }) => count > 0)
  if (held.length === 0) return
  const what = held.map(({ what: sort, count, names }) => `${count} ${count === 1 ? sort.replace(/s$/, '') : sort}${listOf(names, count)}`)
  throw new McpgError('conflict', 'not_empty', `The ${noun} ${path} is not empty: ${what.join(', ')}.`, { hint: 'Delete those first.' })
}

function listOf(names: string[], count: number): string {
  if (names.length === 0) return ''
  return ` (${names.join(', ')}${names.length < count ? ', …' : ''})`
}
