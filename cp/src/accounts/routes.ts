import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  AuthStatus,
  BootstrapRequest,
  ChangePasswordRequest,
  ImpersonateRequest,
  licenseHeader,
  LogoutRequest,
  Me,
  SignInRequest,
  type AuthMode,
} from '@mcpg/proto/rest/auth'
import type { AccessBook } from '../access/book.ts'
import type { Impersonations } from '../access/impersonation.ts'
import { callerOf, signedInOf } from '../http/access-rules.ts'
import { sessionCookieOf, setCookie } from './cookie.ts'
import type { Licenses } from './license.ts'
import type { Accounts, SignedIn } from './service.ts'

const Nothing = z.undefined().describe('Signed out')
const about = (operationId: string, summary: string) => ({ tags: ['auth'], operationId, summary })

/** `secureCookie`: the browser reaches us by https, so the session never leaves by anything else. */
export const accountRoutes =
  (
    accounts: Accounts,
    licenses: Licenses,
    impersonations: Pick<Impersonations, 'begin' | 'end'>,
    book: Pick<AccessBook, 'memberships'>,
    { mode, issuer, secureCookie }: { mode: AuthMode; issuer: AuthStatus['issuer'] | null; secureCookie: boolean },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/auth/status',
      { config: { access: 'public' }, schema: { ...about('authStatus', 'How people sign in'), response: { 200: AuthStatus } } },
      async () => ({ mode, needsSetup: await accounts.needsSetup(), ...(issuer ? { issuer } : {}) }),
    )
    app.post(
      '/v1/auth/bootstrap',
      {
        config: { access: 'public' },
        schema: { ...about('bootstrap', 'Create the first user with the setup code'), body: BootstrapRequest, response: { 201: Me } },
      },
      async (request, reply) => {
        const signedIn = await accounts.bootstrap(callerOf(request), request.body)
        return reply.code(201).header('set-cookie', sessionCookieOf(signedIn, secureCookie)).send(meOf(signedIn))
      },
    )
    app.post(
      '/v1/auth/login',
      {
        config: { access: 'public' },
        schema: { ...about('login', 'Sign in with e-mail and password'), body: SignInRequest, response: { 200: Me } },
      },
      async (request, reply) => {
        const signedIn = await accounts.login(callerOf(request), request.body)
        return reply.header('set-cookie', sessionCookieOf(signedIn, secureCookie)).send(meOf(signedIn))
      },
    )
    app.post(
      '/v1/auth/logout',
      {
        config: { access: 'signed-in' },
        schema: { ...about('logout', 'End this session, or all of this user'), body: LogoutRequest, response: { 204: Nothing } },
      },
      async (request, reply) => {
        await accounts.logout(callerOf(request), signedInOf(request), request.body?.everywhere ?? false)
        return reply
          .code(204)
          .header('set-cookie', setCookie('', { secure: secureCookie, maxAgeSeconds: 0 }))
          .send()
      },
    )
    app.post(
      '/v1/auth/password',
      {
        config: { access: 'signed-in' },
        schema: {
          ...about('changePassword', 'Change your password, and end every other session of yours'),
          body: ChangePasswordRequest,
          response: { 200: Me },
        },
      },
      async (request, reply) => {
        const signedIn = await accounts.changePassword(callerOf(request), signedInOf(request), request.body)
        return reply.header('set-cookie', sessionCookieOf(signedIn, secureCookie)).send(meOf(signedIn))
      },
    )
    app.post(
      '/v1/auth/impersonate',
      {
        // The service asks for the operation, as the organization stands in the body.
        config: { access: 'signed-in' },
        schema: { ...about('impersonate', 'Act for somebody else in this session'), body: ImpersonateRequest, response: { 200: Me } },
      },
      async (request) => {
        const caller = callerOf(request)
        const user = await impersonations.begin({ caller, signedIn: signedInOf(request) }, request.body)
        return meOf({ user, displayName: null, times: null, impersonator: caller.subject })
      },
    )
    app.delete(
      '/v1/auth/impersonate',
      {
        config: { access: 'signed-in' },
        schema: { ...about('endImpersonation', 'Be yourself again'), response: { 204: Nothing } },
      },
      async (request, reply) => {
        await impersonations.end({ caller: callerOf(request), signedIn: signedInOf(request) })
        return reply.code(204).send()
      },
    )
    app.get(
      '/v1/auth/me',
      {
        config: { access: 'signed-in' },
        schema: {
          ...about('me', 'Who you are, and whether the license that you show holds'),
          headers: z.looseObject({ [licenseHeader]: z.string().max(16_384).optional() }),
          response: { 200: Me },
        },
      },
      async (request) => {
        const shown = request.headers[licenseHeader]
        return { ...(await meOfCaller(request)), ...(typeof shown === 'string' ? { license: await licenses.judge(shown) } : {}) }
      },
    )

    async function meOfCaller(request: FastifyRequest): Promise<Me> {
      const { subject, kind, impersonator } = callerOf(request)
      const signedIn = signedInOf(request)
      if (signedIn?.principal.kind !== 'user') return { kind, subject, groups: [], platformAdmin: kind === 'local' }
      const { principal, session } = signedIn
      const account = await accounts.find(principal.accountId)
      // Whoever acts for somebody else learns nothing of organizations that are none of their own.
      const memberOf = impersonator === undefined ? await book.memberships(principal.email, principal.groups) : []
      const me = meOf({ user: principal, displayName: account?.displayName ?? null, times: session, impersonator })
      return { ...me, ...(memberOf.length > 0 && { memberOf }) }
    }
  }

function meOf({
  user,
  displayName,
  times,
  impersonator,
}: Pick<SignedIn, 'user' | 'displayName'> & { times: SignedIn['times'] | null; impersonator?: string | undefined }): Me {
  return {
    kind: user.kind,
    subject: user.email,
    email: user.email,
    ...(displayName === null ? {} : { displayName }),
    groups: [...user.groups],
    platformAdmin: user.platformAdmin,
    ...(impersonator === undefined ? {} : { impersonator }),
    ...(times ? { session: { createdAt: times.createdAt, expiresAt: times.expiresAt, idleUntil: times.idleUntil } } : {}),
  }
}
