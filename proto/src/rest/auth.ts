import { z } from 'zod'

export const authModes = ['none', 'local', 'oidc'] as const
export type AuthMode = (typeof authModes)[number]

/** Header that a write authenticated by the session cookie carries: no page of another origin can send it without a preflight. */
export const requestHeader = 'x-mcpg-request'
export const sessionCookie = 'mcpg_sid'
/** Header of a request that somebody makes for somebody else (an e-mail), and of the organization where they hold the right to. */
export const actForHeader = 'x-mcpg-as'
export const actForOrgHeader = 'x-mcpg-as-org'
/** Header of `GET /v1/auth/me` that shows the license which an issuer gave (a JWT). */
export const licenseHeader = 'x-mcpg-license'

/** `GET /v1/auth/status`: what somebody who is not signed in may know. */
export const AuthStatus = z.object({
  mode: z.enum(authModes),
  /** Nobody can sign in yet: the first user is created with the setup code. */
  needsSetup: z.boolean(),
  /** The OpenID provider of mode `oidc`, and the client id that the command line uses there. */
  issuer: z.object({ url: z.string(), cliClientId: z.string() }).optional(),
})
export type AuthStatus = z.infer<typeof AuthStatus>

const Email = z.string().trim().toLowerCase().max(254).pipe(z.email())

export const SignInRequest = z.strictObject({ email: Email, password: z.string().min(1).max(1024) })
export type SignInRequest = z.infer<typeof SignInRequest>

/** A password has no rules but its length: longer is what helps. */
const NewPassword = z.string().min(10, 'must have at least 10 characters').max(1024)

export const BootstrapRequest = z.strictObject({
  setupCode: z.string().trim().min(1).max(200),
  email: Email,
  password: NewPassword,
  displayName: z.string().trim().min(1).max(200).optional(),
})
export type BootstrapRequest = z.infer<typeof BootstrapRequest>

export const ChangePasswordRequest = z
  .strictObject({ password: z.string().min(1).max(1024), newPassword: NewPassword })
  .refine(({ password, newPassword }) => password !== newPassword, { path: ['newPassword'], error: 'must be another one' })
export type ChangePasswordRequest = z.infer<typeof ChangePasswordRequest>

export const LogoutRequest = z.strictObject({ everywhere: z.boolean().default(false) }).nullish()

/** A license as the control plane sees it; it decides nothing. Times in RFC 3339. */
export const License = z.object({
  /** `not_checked`: this control plane was given no public key. */
  state: z.enum(['valid', 'expired', 'not_valid', 'not_checked']),
  subject: z.string().optional(),
  expiresAt: z.string().optional(),
  /** Why it is not valid. */
  problem: z.string().optional(),
})
export type License = z.infer<typeof License>

/** `org`: where the right to do so is held. */
export const ImpersonateRequest = z.strictObject({ user: Email, org: z.string().min(1).max(63).default('default') })
export type ImpersonateRequest = z.infer<typeof ImpersonateRequest>

/** `GET /v1/auth/me`: the caller as the control plane sees it; times in RFC 3339. */
export const Me = z.object({
  kind: z.string(),
  subject: z.string(),
  email: z.string().optional(),
  displayName: z.string().optional(),
  groups: z.array(z.string()),
  platformAdmin: z.boolean(),
  /** Groups of organizations that they are members of, by whatever way. `groups` are those that the issuer names. */
  memberOf: z.array(z.object({ org: z.string(), group: z.string() })).optional(),
  /** Who really acts; everything is what both may do. */
  impersonator: z.string().optional(),
  session: z.object({ createdAt: z.string(), expiresAt: z.string(), idleUntil: z.string() }).optional(),
  license: License.optional(),
})
export type Me = z.infer<typeof Me>
