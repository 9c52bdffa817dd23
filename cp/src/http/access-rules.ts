import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { publicRoutes, type Access, type Place } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { actForHeader, actForOrgHeader, ImpersonateRequest } from '@mcpg/proto/rest/auth'
import { unknownObject } from '../access/unknown-object.ts'
import { anonymousCaller, localCaller, type Caller } from '../access/caller.ts'
import { findKind } from '@mcpg/proto/kinds'
import type { Authenticate, Authenticated } from '../access/principal.ts'
import { isLoopbackHost } from '@mcpg/core/http-guard'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Peers on this machine pass whoever they are (`/metrics`). */
    loopbackPeersPass?: boolean
    /** The service answers object by object: a right to some of them, there or below, admits. */
    perObject?: boolean
    /** Decides instead of `access`, which says in words and in the OpenAPI document what is asked for. */
    admits?: (caller: Caller, params: unknown) => boolean
  }
  interface FastifyRequest {
    caller: Caller | null
    signedIn: Authenticated | null
    /** Whether whoever made it is still signed in and may do the same as at its beginning; for answers that go on. */
    stillHolds: () => Promise<boolean>
    /** Who makes it, by what they may do now. Throws as it would be refused if it were made now. */
    callerNow: () => Promise<Caller>
  }
}

/** How requests get their caller; null: nobody has to sign in, and everybody is `local`. */
export type SignIn = {
  authenticate: Authenticate
  callerFor(signedIn: Authenticated, about: { source: string; requestId: string }): Promise<Caller>
  /** Who the request is of once its caller acts for somebody else. */
  actFor(asking: { caller: Caller; signedIn: Authenticated }, asked: ImpersonateRequest): Promise<Authenticated>
} | null

/** Gives every request a caller and keeps out whoever the route does not admit. A route without a rule stops the boot. */
export function requireAccess(app: FastifyInstance, signIn: SignIn): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('signedIn', null)
  app.decorateRequest('stillHolds', async () => true)
  app.decorateRequest('callerNow', async function (this: FastifyRequest) {
    return callerOf(this)
  })
  app.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access
    if (access === undefined) throw new Error(`${String(method)} ${url} declares no access`)
    if (access === 'public' && !publicRoutes.includes(url)) throw new Error(`${String(method)} ${url} is public but not in publicRoutes`)
  })
  app.addHook('onRequest', async (request) => {
    const source = plainAddress(request.ip ?? '')
    const about = { source, requestId: request.id }
    const { access, loopbackPeersPass, perObject = false, admits } = request.routeOptions.config
    // A session that is over must not keep anybody from what is public, signing in above all.
    const isOpen = access === undefined || access === 'public'
    const known = signIn && !isOpen ? await whoIs(signIn, request, about) : null
    if (!signIn && !isOpen && askedFor(request)) throw nobodySignsIn()
    const caller = known?.caller ?? (signIn ? anonymousCaller(about) : localCaller(about))
    request.signedIn = known?.signedIn ?? null
    request.caller = caller
    if (known) {
      request.stillHolds = async () => isTheSame(caller, await whoNow(request, about))
      request.callerNow = async () => (await whoIs(signIn!, request, about))?.caller ?? Promise.reject(notSignedIn())
    }
    // No route: the not-found handler, which serves the console and answers 404.
    if (access === undefined || (loopbackPeersPass && isLoopbackHost(source))) return
    const asked = { access, place: placeOf(request), name: nameOf(request, access) }
    if (admits ? admits(caller, request.params) : mayPass(caller, asked, perObject)) return
    if (caller.kind === 'anonymous') throw notSignedIn()
    throw refusal(caller, asked)
  })

  async function whoIs(
    by: NonNullable<SignIn>,
    request: FastifyRequest,
    about: { source: string; requestId: string },
  ): Promise<{ signedIn: Authenticated; caller: Caller } | null> {
    const signedIn = await by.authenticate(request)
    if (!signedIn) return null
    const caller = await by.callerFor(signedIn, about)
    const asked = askedFor(request)
    if (!asked) return { signedIn, caller }
    // Whoever is refused to is told of by their own name.
    request.caller ??= caller
    const acting = await by.actFor({ caller, signedIn }, asked)
    return { signedIn: acting, caller: await by.callerFor(acting, about) }
  }

  /** Null: nobody. Undefined: this cannot be told now, as with an issuer that is away. */
  async function whoNow(request: FastifyRequest, about: { source: string; requestId: string }): Promise<Caller | null | undefined> {
    try {
      return (await whoIs(signIn!, request, about))?.caller ?? null
    } catch (error) {
      return error instanceof McpgError && (error.code === 'unauthenticated' || error.code === 'forbidden') ? null : undefined
    }
  }
}

/** Whom a request says that it is made for. Throws invalid for what is no e-mail. */
function askedFor({ headers }: FastifyRequest): ImpersonateRequest | null {
  const user = headers[actForHeader]
  if (user === undefined || user === '') return null
  const read = ImpersonateRequest.safeParse({ user, org: headers[actForOrgHeader] })
  if (read.success) return read.data
  throw new McpgError('invalid', 'act_for_malformed', `The header ${actForHeader} is not the e-mail of a user: ${String(user)}.`, {
    hint: 'mcpg-ctl get users',
  })
}

const notSignedIn = () => new McpgError('unauthenticated', 'sign_in_required', 'You are not signed in.', { hint: 'mcpg-ctl login' })

function nobodySignsIn(): McpgError {
  return new McpgError(
    'failed_precondition',
    'sign_in_off',
    'Nobody signs in at this control plane, so nobody can act for somebody else.',
    {
      hint: 'leave --as (MCPG_AS) out',
    },
  )
}

function isTheSame(before: Caller, now: Caller | null | undefined): boolean {
  if (!now) return now === undefined
  const { subject, impersonator, grants } = now
  return subject === before.subject && impersonator === before.impersonator && isDeepStrictEqual(grants, before.grants)
}

/** Refusals that say the object is not there. */
const hidden = new WeakSet<McpgError>()
export const isHiddenRefusal = (failure: McpgError): boolean => hidden.has(failure)

type Asked = { access: Access; place: Place; name: string | undefined }

/** A name that is created is in the body, and the service asks again; whatever else names no object is about all of them. */
function mayPass(caller: Caller, { access, place, name }: Asked, perObject: boolean): boolean {
  if (typeof access === 'string' || 'operation' in access) return caller.can(access, place)
  const { verb, on } = access
  if (perObject) return caller.reaches(verb, on, place)
  if (name !== undefined || verb === 'create') return caller.can(access, place, name)
  return caller.visible(verb, on, place) === 'all'
}

/** Whoever may look at some objects of a kind gets the same answer for those that they may not see as for those that are not there. */
function refusal(caller: Caller, { access, place, name }: Asked): McpgError {
  const kind = typeof access !== 'string' && 'on' in access ? findKind(access.on) : undefined
  const isHidden = kind && name !== undefined && !caller.can({ verb: 'view', on: kind.plural }, place, name)
  if (isHidden && caller.reaches('view', kind.plural, place)) {
    const failure = unknownObject(kind, name)
    hidden.add(failure)
    return failure
  }
  const wanted = wordsOf(access)
  return new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this${wanted === '' ? '' : `: it needs ${wanted}`}.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}

function wordsOf(access: Access): string {
  if (typeof access === 'string') return ''
  return 'operation' in access ? `the operation ${access.operation}` : `${access.verb} on ${access.on}`
}

/** The caller of a request; every service call takes it. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('the request has passed no access rule')
  return request.caller
}

/** The sign-in behind a request; null where nobody has to, and on public routes. */
export const signedInOf = (request: FastifyRequest): Authenticated | null => request.signedIn

/** Where a request acts, as its path says. */
export function placeOf(request: FastifyRequest): Place {
  const { org, workspace, environment, project } = request.params as Record<string, string | undefined>
  return { org, workspace, environment, project }
}

/** The object that a path names: `:name` behind its plural, or the parameter that is called like its kind. */
export function nameOf(request: FastifyRequest, access: Access): string | undefined {
  if (typeof access === 'string' || !('verb' in access)) return undefined
  const params = request.params as Record<string, string | undefined>
  if (request.routeOptions.url?.includes(`/${access.on}/:name`)) return params['name']
  return params[access.on.replace(/s$/, '')]
}

/** IPv4 peers of a dual-stack socket come as ::ffff:a.b.c.d. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
