import { createInterface } from 'node:readline'
import { McpgError } from '@mcpg/proto/errors'
import type { Env } from '../env.ts'

/**
 * The answer of the issuer out of the lines of standard input: the address where the browser ended, its query, or the code alone. A line
 * that is none of them is told and the next one is read. Throws invalid when the input ends after such a line; where it ends without any
 * the answer never comes.
 */
export async function pastedAnswer({ stdin, stderr }: Env, state: string, signal: AbortSignal): Promise<URLSearchParams> {
  const lines = createInterface({ input: stdin, terminal: false })
  signal.addEventListener('abort', () => lines.close(), { once: true })
  let problem: string | null = null
  for await (const line of lines) {
    if (line.trim() === '') continue
    const found = answerIn(line.trim(), state)
    if (typeof found !== 'string') return found
    problem = found
    stderr.write(`${problem}\n`)
  }
  if (problem !== null && !signal.aborted)
    throw new McpgError('invalid', 'pasted_wrong', problem, { hint: 'begin again: mcpg-ctl login --no-browser' })
  return await new Promise<never>(() => {})
}

/** What is wrong with the line, in words, or the answer in it. */
export function answerIn(line: string, state: string): URLSearchParams | string {
  const url = URL.canParse(line) && /^https?:/.test(line) ? new URL(line) : null
  const query = url ? url.searchParams : /(^|[?&])(code|error)=/.test(line) ? new URLSearchParams(line.replace(/^.*\?/, '')) : null
  if (!query) return /^[^\s&=?]+$/.test(line) ? new URLSearchParams({ code: line, state }) : 'This is neither an address nor a code.'
  if (!query.has('code') && !query.has('error'))
    return 'This address carries no code: paste the one where the browser ended after the sign-in.'
  return query.get('state') === state ? query : 'This is the end of another sign-in: open the address above once more.'
}
