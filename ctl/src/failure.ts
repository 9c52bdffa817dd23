import { exitCodeOf as exitStatusOf, McpgError } from '@mcpg/proto/errors'
import type { CommanderError } from 'commander'

/** Violations printed at most; the rest is counted. */
const maxViolations = 1000

/** An error that came over the REST API, with the id under which the control plane logged it. */
export class ApiError extends McpgError {
  override name = 'ApiError'
  readonly requestId: string | undefined

  constructor(error: McpgError, requestId: string | undefined) {
    const { hint, cause, violations, status, retryAfterSeconds } = error
    super(error.code, error.reason, error.message, {
      ...(hint ? { hint } : {}),
      cause,
      violations,
      status,
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    })
    this.requestId = requestId
  }
}

/** The command was ended by Ctrl-C or a signal; exit code 130. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** A program started in the background that ended before it was ready; our exit code is its exit code. */
export class FailedStart extends McpgError {
  override name = 'FailedStart'
  readonly exitCode: number

  constructor(what: string, exitCode: number, lines: string[], logFile: string) {
    super('internal', 'start_failed', `${what} ended with exit code ${exitCode} before it was ready.`, {
      hint: `the whole log: ${logFile}`,
      violations: lines.map((detail) => ({ pointer: '', detail })),
    })
    this.exitCode = exitCode
  }
}

/** Anything that was thrown, as an error with a code. */
export function asMcpgError(error: unknown): McpgError {
  if (error instanceof McpgError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const hints: Record<string, string> = {
    ENOSPC: 'free space on that disk, or choose another folder with --state-dir',
    EACCES: 'mcpg-ctl doctor',
  }
  return new McpgError('internal', 'unexpected', message || String(error), {
    cause: error,
    ...(code && hints[code] ? { hint: hints[code] } : {}),
  })
}

/** Commander's text is `error: what` and, on a line of its own, `(Did you mean x?)`. */
export function usageError(error: CommanderError, help: string): McpgError {
  const [what = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const guess = /Did you mean (?:one of )?(.*)\?/.exec(suggestion ?? '')?.[1]
  return new McpgError('invalid', 'usage', what, { hint: guess ? `did you mean ${guess}?` : help })
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return 130
  return error instanceof FailedStart ? error.exitCode : exitStatusOf(asMcpgError(error))
}

/** What stands on standard error for an error. */
export async function describeFailure(thrown: unknown, { json, debug }: { json: boolean; debug: boolean }): Promise<string> {
  const error = asMcpgError(thrown)
  const requestId = error instanceof ApiError ? error.requestId : undefined
  // Loaded only here: it brings zod, and a wrong flag is to be told at once.
  if (json) {
    const { problemOf } = await import('@mcpg/proto/problem')
    return `${JSON.stringify(problemOf(error, requestId ? { requestId } : {}))}\n`
  }
  const lines = [`error: ${error.message}`]
  // Some messages say it all by themselves.
  const violations = error.violations.filter(({ detail }) => !error.message.includes(detail))
  const shown = violations.slice(0, maxViolations)
  for (const { pointer, detail } of shown) lines.push(pointer ? `  ${pointer}: ${detail}` : `  ${detail}`)
  if (violations.length > shown.length) lines.push(`  … and ${violations.length - shown.length} more`)
  const cause = causeOf(error)
  if (cause) lines.push(`cause: ${cause}`)
  if (error.hint) lines.push(`hint: ${error.hint}`)
  if (requestId) lines.push(`request-id: ${requestId}`)
  if (debug && thrown instanceof Error && thrown.stack) lines.push(thrown.stack)
  return `${lines.join('\n')}\n`
}

function causeOf(error: McpgError): string | undefined {
  if (!(error.cause instanceof Error)) return typeof error.cause === 'string' ? error.cause : undefined
  // Node's fetch says "fetch failed" and keeps the reason one level down.
  const inner = error.cause.cause instanceof Error ? error.cause.cause : error.cause
  const text = inner.message || (inner as NodeJS.ErrnoException).code || inner.name
  return text === error.message ? undefined : text
}
