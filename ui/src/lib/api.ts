import type { Problem } from '@mcpg/proto/problem'

/** A refused or failed request. `hint` is the command that helps, `requestId` finds it in the log of the control plane. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number // 0: no answer at all
  readonly code: string
  readonly reason: string
  readonly hint: string | undefined
  readonly requestId: string | undefined
  readonly violations: { pointer: string; detail: string }[]

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail || problem.title || `The control plane answered ${status}`)
    this.status = status
    this.code = problem.code ?? 'internal'
    this.reason = problem.reason ?? 'unknown'
    this.hint = problem.hint ?? undefined
    this.requestId = problem.requestId ?? undefined
    this.violations = problem.errors ?? []
  }
}

/** What is wrong with one field of what was sent, or with a part of it. */
export function violationOf(error: Error | null, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined
  return error.violations.find(({ pointer }) => pointer === field || pointer.startsWith(`${field}/`))?.detail
}

/** Said to the window when an answer asks for sign-in, so that the page changes whoever asked. */
export const signInRequired = 'mcpg:sign-in-required'

/** Reads JSON from the control plane that served this page; throws ApiError. */
export function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  return request<Body>(path, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) })
}

/** `X-Mcpg-Request` proves that a page of ours wrote this: other sites cannot send it without a preflight. */
export function postJson<Body>(path: string, body: unknown = {}): Promise<Body> {
  const headers = { accept: 'application/json', 'content-type': 'application/json', 'x-mcpg-request': '1' }
  return request<Body>(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** RFC 7396: what is not named stays as it is. */
export function patchJson<Body>(path: string, body: unknown): Promise<Body> {
  const headers = { accept: 'application/json', 'content-type': 'application/merge-patch+json', 'x-mcpg-request': '1' }
  return request<Body>(path, { method: 'PATCH', headers, body: JSON.stringify(body) })
}

/** Puts it in place of what was there. */
export function putJson<Body>(path: string, body: unknown): Promise<Body> {
  const headers = { accept: 'application/json', 'content-type': 'application/json', 'x-mcpg-request': '1' }
  return request<Body>(path, { method: 'PUT', headers, body: JSON.stringify(body) })
}

export function deleteObject<Body = void>(path: string): Promise<Body> {
  return request<Body>(path, { method: 'DELETE', headers: { accept: 'application/json', 'x-mcpg-request': '1' } })
}

export async function errorOfResponse(response: Response): Promise<ApiError> {
  const problem: unknown = await response.json().catch(() => null)
  const error = new ApiError(response.status, problem && typeof problem === 'object' ? (problem as Partial<Problem>) : {})
  if (error.reason === 'sign_in_required') globalThis.dispatchEvent(new Event(signInRequired))
  return error
}

async function request<Body>(path: string, init: RequestInit): Promise<Body> {
  const response = await fetch(path, { credentials: 'same-origin', ...init }).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cause
    throw new ApiError(0, {
      code: 'unavailable',
      reason: 'unreachable',
      detail: 'The control plane does not answer',
      hint: 'mcpg-ctl status',
    })
  })
  if (!response.ok) throw await errorOfResponse(response)
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as Body
}
