/** Every failure a caller can see, and how each wire spells it. The only such table (`docs`: ARCHITECTURE.md, Errors). */
export const errorCodes = {
  invalid: { http: 400, grpc: 3, exit: 2, title: 'Invalid request' },
  unsupported: { http: 405, grpc: 12, exit: 2, title: 'Not supported' },
  too_large: { http: 413, grpc: 8, exit: 2, title: 'Too large' },
  unauthenticated: { http: 401, grpc: 16, exit: 3, title: 'Not signed in' },
  forbidden: { http: 403, grpc: 7, exit: 3, title: 'Forbidden' },
  not_found: { http: 404, grpc: 5, exit: 5, title: 'Not found' },
  conflict: { http: 409, grpc: 6, exit: 6, title: 'Conflict' },
  gone: { http: 410, grpc: 9, exit: 6, title: 'Gone' },
  failed_precondition: { http: 409, grpc: 9, exit: 6, title: 'The state forbids it' },
  locked: { http: 423, grpc: 9, exit: 6, title: 'Locked' },
  rate_limited: { http: 429, grpc: 8, exit: 4, title: 'Too many requests' },
  unavailable: { http: 503, grpc: 14, exit: 4, title: 'Unavailable' },
  timeout: { http: 504, grpc: 4, exit: 8, title: 'Took too long' },
  internal: { http: 500, grpc: 13, exit: 1, title: 'Internal error' },
} as const

export type ErrorCode = keyof typeof errorCodes

/** One violation; `pointer` is an RFC 6901 JSON pointer into the request body. */
export type Violation = { pointer: string; detail: string }

/**
 * A failure meant for the caller: `message` says what and why, `hint` the next command, both are shown. `cause` is only logged.
 * `reason` is stable and what programs branch on (e.g. `token_already_used`). `status` narrows the HTTP status where the table
 * allows two (412 for a stale If-Match, 422 for an unprocessable body, 406 and 415).
 */
export class McpgError extends Error {
  override name = 'McpgError'
  readonly code: ErrorCode
  readonly reason: string
  readonly hint: string | undefined
  readonly violations: Violation[]
  readonly status: number
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    reason: string,
    message: string,
    options: { hint?: string; cause?: unknown; violations?: Violation[]; status?: number; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.reason = reason
    this.hint = options.hint
    this.violations = options.violations ?? []
    this.status = options.status ?? errorCodes[code].http
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** The code that a gRPC status number stands for; `internal` for one that is not ours. */
export function codeOfGrpc(status: number): ErrorCode {
  const found = (Object.keys(errorCodes) as ErrorCode[]).find((code) => errorCodes[code].grpc === status)
  return found ?? 'internal'
}

/** Exit status of a program that ends with this error; a port that is taken is a start that failed (1), whatever its code says to others. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof McpgError)) return 1
  return error.reason === 'port_taken' ? 1 : errorCodes[error.code].exit
}
