/** What a caller may do to objects of a kind. */
export const verbs = ['view', 'create', 'edit', 'delete', 'run', 'expose'] as const
export type Verb = (typeof verbs)[number]

/**
 * Who may call a route or an RPC. Every one declares it; one without it stops the boot (REST) or does not compile (gRPC).
 * `on` is the plural of a kind, `operation` a right that belongs to no kind.
 */
export type Access = 'public' | 'signed-in' | 'gateway' | { verb: Verb; on: string } | { operation: string }

/** Where something lives or happens; without `org` it is the installation. Environments lie in a workspace beside its projects. */
export type Place = {
  org?: string | undefined
  workspace?: string | undefined
  environment?: string | undefined
  project?: string | undefined
}

/** Everything that answers without sign-in; the console's files and `/metrics` for loopback peers come on top. */
export const publicRoutes: readonly string[] = [
  '/healthz',
  '/readyz',
  '/v1/version',
  '/v1/ca-cert.pem',
  '/v1/auth/status',
  '/v1/auth/bootstrap',
  '/v1/auth/login',
  '/v1/auth/oidc/start',
  '/v1/auth/oidc/callback',
  '/enroll/:token',
]
