import { setTimeout as delay } from 'node:timers/promises'
import { httpsOnlyText } from '@mcpg/core/only-tls'
import { McpgError, errorCodes, type ErrorCode } from '@mcpg/proto/errors'
import { errorOfProblem, Problem } from '@mcpg/proto/problem'
import type { z } from 'zod'
import type { Env } from '../env.ts'
import { ApiError, Interrupted } from '../failure.ts'
import { readAddresses } from '../local/addresses.ts'
import { findControlPlane } from '../local/run-files.ts'
import { shownCredential } from '../sign-in/shown.ts'
import type { Settings } from '../settings.ts'
import { connection, controlPlaneUrl, isExposed, localConnection, type Connection } from './connection.ts'

const defaultUrl = 'http://127.0.0.1:7843'
const maxRetries = 5
/** An apply of 5,000 objects is the longest answer there is. */
const answerTimeoutMs = 120_000

/** The control plane that a command talks to: --cp-url, else the one that runs on this state dir or ran there last, else the default. */
export async function controlPlaneConnection(settings: Settings): Promise<Connection> {
  const { cpUrl, stateDir, insecurePlaintext } = settings
  if (cpUrl !== undefined) return connection(cpUrl, { insecurePlaintext, source: controlPlaneUrl })
  const own = (await findControlPlane(stateDir)) ?? (await readAddresses(stateDir))
  return (own && localConnection(own, { insecurePlaintext })) ?? connection(defaultUrl, { insecurePlaintext, source: controlPlaneUrl })
}

export type Call<Schema extends z.ZodType> = {
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  headers?: Record<string, string>
  schema?: Schema
  timeoutMs?: number
  /** Shows nobody who we are: for what is asked in order to sign in, when an earlier sign-in may be over. */
  anonymous?: boolean
  /** How often 429 and 503 are repeated (default 5). */
  retries?: number
}
/** How long an answer is waited for, and how often it is asked for again. */
export type Patience = Pick<Call<z.ZodType>, 'timeoutMs' | 'retries'>
export type Answer<Body> = { status: number; headers: Headers; body: Body }
export type Api = Awaited<ReturnType<typeof createApi>>

/** Client of the REST API. Every failure is an McpgError; one that came as a problem document keeps its code and request id. */
export async function createApi({ settings, env }: { settings: Settings; env: Env }) {
  const { url, fetch } = await controlPlaneConnection(settings)
  if (isExposed(url))
    env.stderr.write(`Warning: --insecure-plaintext: everybody on the way to ${new URL(url).origin} can read and change this.\n`)
  return { url, settings, call, open }

  /** One request with a JSON answer, checked against `schema`; 429 and 503 are repeated by Retry-After. */
  async function call<Schema extends z.ZodType>(
    method: string,
    path: string,
    options: Call<Schema> = {},
  ): Promise<Answer<z.infer<Schema>>> {
    for (let attempt = 1; ; attempt++) {
      const response = await send(
        method,
        path,
        options,
        AbortSignal.any([env.stopping, AbortSignal.timeout(options.timeoutMs ?? answerTimeoutMs)]),
      )
      if (response.ok) return { status: response.status, headers: response.headers, body: await bodyOf(response, options.schema) }
      const error = await errorOf(response)
      if (!isBusy(response.status) || attempt > (options.retries ?? maxRetries)) throw error
      await pause(response, attempt, error)
    }
  }

  /** An answer that is read as a stream; the caller ends it through the signal. */
  async function open(
    path: string,
    {
      query,
      headers,
      signal,
      retries = maxRetries,
    }: { query?: Call<z.ZodType>['query']; headers?: Record<string, string>; signal: AbortSignal; retries?: number },
  ) {
    for (let attempt = 1; ; attempt++) {
      const response = await send(
        'GET',
        path,
        { ...(query ? { query } : {}), headers: { accept: 'text/event-stream', ...headers } },
        signal,
      )
      if (response.ok) return response
      const error = await errorOf(response)
      if (!isBusy(response.status) || attempt > retries) throw error
      await pause(response, attempt, error)
    }
  }

  async function send(
    method: string,
    path: string,
    { query, body, headers, anonymous }: Call<z.ZodType>,
    signal: AbortSignal,
  ): Promise<Response> {
    const shown = anonymous ? {} : await shownCredential(settings, url)
    const target = new URL(path, url)
    for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) target.searchParams.set(key, String(value))
    try {
      return await fetch(target, {
        method,
        signal,
        redirect: 'error',
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...shown,
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (error) {
      throw unreachable(error, signal)
    }
  }

  function unreachable(error: unknown, signal: AbortSignal): Error {
    if (env.stopping.aborted) return new Interrupted()
    if (error instanceof McpgError) return error
    if (signal.aborted && (error as Error).name === 'TimeoutError')
      return new McpgError('unavailable', 'no_answer', `The control plane at ${url} does not answer.`, { hint: 'mcpg-ctl status' })
    return new McpgError('unavailable', 'control_plane_unreachable', `The control plane at ${url} cannot be reached.`, {
      cause: error,
      hint: settings.cpUrl
        ? 'check --cp-url (MCPG_CP_URL), or start one: mcpg-ctl quickstart'
        : 'start one: mcpg-ctl quickstart; or say where it is: --cp-url (MCPG_CP_URL)',
    })
  }

  async function pause(response: Response, attempt: number, error: McpgError): Promise<void> {
    const seconds = Math.min(60, Math.max(0, Number(response.headers.get('retry-after') ?? 1) || 0))
    if (!settings.quiet)
      env.stderr.write(`${error.message.replace(/\.$/, '')} (${response.status}), again in ${seconds} s (${attempt}/${maxRetries})\n`)
    await delay(seconds * 1000, undefined, { signal: env.stopping }).catch(() => {
      throw new Interrupted()
    })
  }
}

const isBusy = (status: number) => status === 429 || status === 503

async function bodyOf<Schema extends z.ZodType>(response: Response, schema: Schema | undefined): Promise<z.infer<Schema>> {
  const text = await response.text()
  const json: unknown = text === '' ? undefined : parseJson(text)
  if (!schema) return json as z.infer<Schema>
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new McpgError('internal', 'answer_not_understood', `The answer of ${response.url} is not what this version of mcpg-ctl expects.`, {
    cause: parsed.error,
    hint: 'mcpg-ctl version',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  if (text === httpsOnlyText)
    return new ApiError(
      new McpgError('invalid', 'tls_required', `${new URL(response.url).origin} speaks HTTPS and nothing else.`, {
        hint: 'write https:// and, behind it, #pin=sha256:… (--cp-url, MCPG_CP_URL)',
      }),
      undefined,
    )
  const problem = Problem.safeParse(parseJson(text))
  const requestId = response.headers.get('x-request-id') ?? undefined
  if (problem.success) return new ApiError(errorOfProblem(problem.data), problem.data.requestId ?? requestId)
  const code = (Object.keys(errorCodes) as ErrorCode[]).find((one) => errorCodes[one].http === response.status) ?? 'internal'
  const error = new McpgError(code, 'no_problem_document', `${response.url} answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    hint: 'is this an mcpg control plane? check --cp-url (MCPG_CP_URL)',
  })
  return new ApiError(error, requestId)
}
