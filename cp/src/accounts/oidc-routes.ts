import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { McpgError } from '@mcpg/proto/errors'
import { callerOf } from '../http/access-rules.ts'
import { cookieIn, sessionCookieOf, setCookie } from './cookie.ts'
import type { RelyingParty } from './relying-party.ts'

/** Binds a sign-in that has begun to the browser that began it. */
const beginning = 'mcpg_oidc'
const about = (operationId: string, summary: string) => ({ tags: ['auth'], operationId, summary })
const Redirect = z.undefined().describe('To the issuer, or back to the console')

/** The way of a browser through its issuer; null: nobody goes there, and the routes say so. Whatever fails is told on the sign-in page. */
export const oidcRoutes =
  (party: RelyingParty | null, { publicUrl, secureCookie }: { publicUrl: () => string; secureCookie: boolean }): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/auth/oidc/start',
      {
        config: { access: 'public' },
        schema: {
          ...about('oidcStart', 'Go to the issuer to sign in'),
          querystring: z.object({ returnTo: z.string().max(2048).optional() }),
          response: { 302: Redirect },
        },
      },
      async (request, reply) => {
        // The issuer sends the browser back to our public name, where the cookie of another name would be missing.
        if (party && request.headers.host !== new URL(publicUrl()).host) return reply.redirect(new URL(request.url, publicUrl()).href)
        return reply.redirect(await orSignInPage(begin))

        async function begin(own: RelyingParty): Promise<string> {
          const { url, browser } = await own.begin(ownPath(request.query.returnTo))
          reply.header('set-cookie', setCookie(browser, { secure: secureCookie, maxAgeSeconds: 600 }, beginning))
          return url
        }
      },
    )
    app.get(
      '/v1/auth/oidc/callback',
      {
        config: { access: 'public' },
        schema: { ...about('oidcCallback', 'Where the issuer sends the browser back to'), response: { 302: Redirect } },
      },
      async (request, reply) => {
        return reply.redirect(await orSignInPage(finish))

        async function finish(own: RelyingParty): Promise<string> {
          const query = request.url.split('?')[1] ?? ''
          const signedIn = await own.finish(callerOf(request), query, cookieIn(request.headers.cookie, beginning))
          const ended = setCookie('', { secure: secureCookie, maxAgeSeconds: 0 }, beginning)
          reply.header('set-cookie', [sessionCookieOf(signedIn, secureCookie), ended])
          return signedIn.returnTo
        }
      },
    )

    async function orSignInPage(work: (own: RelyingParty) => Promise<string>): Promise<string> {
      try {
        if (!party)
          throw new McpgError('failed_precondition', 'no_issuer_here', 'Nobody signs in through an issuer here.', {
            hint: 'serve --auth-mode oidc --oidc-issuer <url>',
          })
        return await work(party)
      } catch (error) {
        if (!(error instanceof McpgError)) throw error
        app.log.info({ err: error }, 'a sign-in through the issuer failed')
        return `/login?${new URLSearchParams({ error: error.message, reason: error.reason, hint: error.hint ?? '' }).toString()}`
      }
    }
  }

/** A page of this console, never another site. */
const ownPath = (path: string | undefined): string => (path && /^\/(?![/\\])/.test(path) && !path.startsWith('/login') ? path : '/')
