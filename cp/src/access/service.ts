import { accessWord, accessWords } from '@mcpg/proto/access-words'
import type { Access, Place } from '@mcpg/proto/access'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { everything, operations, operationsOfInstallation, readGrants, within, type Grant } from '@mcpg/proto/grants'
import { findKind } from '@mcpg/proto/kinds'
import type { CanIAnswer, CanIQuery, WhoMayAnswer } from '@mcpg/proto/rest/access'
import { invalid } from '../http/problems.ts'
import type { AccessBook } from './book.ts'
import { callerFor, subjectOf, type Caller } from './caller.ts'
import type { Holder, Holding } from './holdings.ts'
import type { Authenticated, Principal } from './principal.ts'

export type AccessService = ReturnType<typeof accessService>

/** What those who signed in may do. */
export function accessService({
  book,
  platformAdmins,
}: {
  book: Pick<AccessBook, 'grantsOfUser' | 'grantsOfServiceAccount' | 'holdingsIn'>
  /** E-mails of those who may do everything. */
  platformAdmins: () => Promise<string[]>
}) {
  return { effectiveGrants, callerOf, mayImpersonate, canI, whoMay }

  /** Of a token: what it was given, as far as its owner still holds it. */
  async function effectiveGrants(principal: Principal): Promise<readonly Grant[]> {
    if (principal.kind === 'user') return principal.platformAdmin ? everything : book.grantsOfUser(principal.email, principal.groups)
    if (principal.kind === 'serviceaccount') return book.grantsOfServiceAccount(principal.org, principal.name)
    const held = await effectiveGrants(principal.owner)
    return principal.grants === null ? held : within(principal.grants, held)
  }

  /** Whoever acts for somebody else does what both may do. */
  async function callerOf({ principal, impersonator }: Authenticated, request: { source: string; requestId: string }): Promise<Caller> {
    const grants = await effectiveGrants(principal)
    if (!impersonator) return callerFor(principal, grants, request)
    const both = within(grants, await effectiveGrants(impersonator))
    return { ...callerFor(principal, both, request), impersonator: subjectOf(impersonator) }
  }

  async function mayImpersonate(principal: Principal, org: string): Promise<boolean> {
    return readGrants(await effectiveGrants(principal)).can({ operation: 'impersonate' }, { org })
  }

  /** Throws forbidden for whoever may not look at the bindings that would answer. */
  async function whoMay(caller: Caller, query: CanIQuery): Promise<WhoMayAnswer> {
    const { access, place, name } = questionOf(query)
    if (!caller.can({ verb: 'view', on: 'rolebindings' }, { org: place.org }))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs view on rolebindings.`, {
        hint: 'mcpg-ctl can-i --list',
      })
    const admins = (await platformAdmins()).map((email) => ({ kind: 'User' as const, name: email }))
    const holdings = place.org === undefined ? [] : [...(await book.holdingsIn(place.org))]
    const others = holdings.flatMap(([holder, ones]) =>
      ones.filter(({ grants }) => readGrants(grants).can(access, place, name)).map((one) => shownHolding(holder, one)),
    )
    return { items: [...admins, ...others] }
  }

  /** Throws invalid for a question that is none. */
  function canI(caller: Caller, query: CanIQuery): CanIAnswer {
    const { access, place, name } = questionOf(query)
    const { subject } = caller
    const by = caller.grants.find((grant) => readGrants([grant]).can(access, place, name))
    const shown = { subject, place, ...(by && { by: writable(by) }) }
    if ('operation' in access) return { ...shown, allowed: caller.can(access, place), operation: access.operation }
    const { verb, on } = access
    const asked = { ...shown, verb, on }
    if (name !== undefined) return { ...asked, allowed: caller.can(access, place, name), name }
    const names = caller.visible(verb, on, place)
    const allowed = names === 'all' || names.length > 0
    return {
      ...asked,
      allowed,
      ...(names !== 'all' && allowed && { only: [...names] }),
      ...(!allowed && caller.reaches(verb, on, place) && { below: true }),
    }
  }
}

const kindOfHolder = { user: 'User', group: 'Group', serviceaccount: 'ServiceAccount', claim: 'Claim' } as const

function shownHolding(holder: Holder, { binding, role, through }: Holding): WhoMayAnswer['items'][number] {
  const colon = holder.indexOf(':')
  const kind = kindOfHolder[holder.slice(0, colon) as keyof typeof kindOfHolder]
  return { kind, name: holder.slice(colon + 1), binding, role, through: [...through] }
}

type Question = { access: Exclude<Access, string>; place: Place; name: string | undefined }

function questionOf({ verb, kind, name, operation, ...place }: CanIQuery): Question {
  const violations: Violation[] = []
  const on = kind === undefined ? undefined : accessWord(kind)
  if (operation === undefined) {
    if (verb === undefined) violations.push({ pointer: '/querystring/verb', detail: 'is missing; or ask for an operation' })
    if (kind === undefined) violations.push({ pointer: '/querystring/kind', detail: 'is missing' })
    else if (on === undefined) violations.push({ pointer: '/querystring/kind', detail: `"${kind}" is not ${accessWords()}` })
  } else {
    for (const [field, value] of Object.entries({ verb, kind, name }))
      if (value !== undefined) violations.push({ pointer: `/querystring/${field}`, detail: 'does not go together with an operation' })
    if (operation !== '*' && !(operations as readonly string[]).includes(operation))
      violations.push({ pointer: '/querystring/operation', detail: `"${operation}" is not one of ${operations.join(', ')}` })
  }
  if (violations.length > 0) throw invalid(violations)
  if (operation !== undefined)
    return { access: { operation }, place: operationsOfInstallation.includes(operation) ? {} : place, name: undefined }
  return { access: { verb: verb!, on: on! }, place: placeOfKind(on!, place), name }
}

/** As much of a place as tells where objects of a kind live, so that the answer is that of the route. */
function placeOfKind(on: string, { org, workspace, environment, project }: Place): Place {
  const parts = { org: {}, workspace: { org }, environment: { org, workspace } }
  const found = { orgs: parts.org, workspaces: parts.workspace, environments: parts.environment, audit: parts.workspace }[on]
  if (found) return found
  const declaration = findKind(on)
  if (declaration === undefined) return { org, workspace, environment, project }
  if (declaration.scope === 'org') return { org }
  if (declaration.scope === 'project') return { org, workspace, project }
  return { org, workspace, ...(declaration.virtual && { environment }) }
}

/** Without what is readonly, as answers want it. */
export function writable(grant: Grant): NonNullable<CanIAnswer['by']> {
  if ('operations' in grant) return { place: { ...grant.place }, operations: [...grant.operations] }
  const { place, verbs, on, names } = grant
  return { place: { ...place }, verbs: [...verbs], on, ...(names && { names: [...names] }) }
}
