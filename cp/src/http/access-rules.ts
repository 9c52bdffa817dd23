import type { FastifyInstance, FastifyRequest } from 'fastify'
import { publicRoutes, type Access } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { anonymousCaller, localCaller, type Caller } from '../access/caller.ts'
import { isLoopbackHost } from '@mcpg/core/http-guard'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Peers on this machine pass whoever they are (`/metrics`). */
    loopbackPeersPass?: boolean
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** Gives every request a caller and keeps out whoever the route does not admit. A route without a rule stops the boot. */
export function requireAccess(app: FastifyInstance, { requireSignIn }: { requireSignIn: boolean }): void {
  app.decorateRequest('caller', null)
  app.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access
    if (access === undefined) throw new Error(`${String(method)} ${url} declares no access`)
    if (access === 'public' && !publicRoutes.includes(url)) throw new Error(`${String(method)} ${url} is public but not in publicRoutes`)
  })
  app.addHook('onRequest', async (request) => {
    const source = plainAddress(request.ip ?? '')
    const about = { source, requestId: request.id }
    const caller = requireSignIn ? anonymousCaller(about) : localCaller(about)
    request.caller = caller
    const { access, loopbackPeersPass } = request.routeOptions.config
    // No route: the not-found handler, which serves the console and answers 404.
    if (access === undefined || (loopbackPeersPass && isLoopbackHost(source)) || caller.can(access)) return
    if (caller.kind === 'anonymous')
      throw new McpgError('unauthenticated', 'sign_in_required', 'You are not signed in.', { hint: 'mcpg-ctl login' })
    throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this.`)
  })
}

/** The caller of a request; every service call takes it. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('the request has passed no access rule')
  return request.caller
}

/** IPv4 peers of a dual-stack socket come as ::ffff:a.b.c.d. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
