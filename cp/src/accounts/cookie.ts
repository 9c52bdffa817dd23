import { sessionCookie } from '@mcpg/proto/rest/auth'
import type { SignedIn } from './service.ts'

/** The value of one cookie in a Cookie header; browsers send the more specific of two with one name first. */
export function cookieIn(header: string | undefined, name: string = sessionCookie): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, ...value] = pair.trim().split('=')
    if (key === name) return value.join('=') || undefined
  }
  return undefined
}

/** Of the whole origin, out of reach of scripts, and not sent along from other sites but for a followed link. */
export function setCookie(
  value: string,
  { secure, maxAgeSeconds }: { secure: boolean; maxAgeSeconds: number },
  name = sessionCookie,
): string {
  return [`${name}=${value}`, 'Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])].join('; ')
}

/** The cookie of a new session, for as long as it can last. */
export function sessionCookieOf({ sessionId, times }: Pick<SignedIn, 'sessionId' | 'times'>, secure: boolean): string {
  const maxAgeSeconds = Math.floor((Date.parse(times.expiresAt) - Date.parse(times.createdAt)) / 1000)
  return setCookie(sessionId, { secure, maxAgeSeconds })
}
