import { z } from 'zod'
import { errorCodes, McpgError, type ErrorCode } from './errors.ts'

/** RFC 9457 problem document: the body of every REST error and what `-o json` prints on stderr. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string().optional(),
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  reason: z.string(),
  hint: z.string().optional(),
  requestId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
})
export type Problem = z.infer<typeof Problem>

export function problemOf(error: McpgError, { instance, requestId }: { instance?: string; requestId?: string } = {}): Problem {
  return {
    type: `urn:mcpg:${error.code}:${error.reason}`,
    title: errorCodes[error.code].title,
    status: error.status,
    detail: error.message,
    ...(instance ? { instance } : {}),
    code: error.code,
    reason: error.reason,
    ...(error.hint ? { hint: error.hint } : {}),
    ...(requestId ? { requestId } : {}),
    ...(error.violations.length ? { errors: error.violations } : {}),
  }
}

/** The error a problem document stands for, for clients of the REST API. */
export function errorOfProblem(problem: Problem, retryAfterSeconds?: number): McpgError {
  return new McpgError(problem.code, problem.reason, problem.detail, {
    hint: problem.hint,
    violations: problem.errors ?? [],
    status: problem.status,
    retryAfterSeconds,
  })
}
