import { Writable } from 'node:stream'
import { createInterface } from 'node:readline/promises'
import { McpgError } from '@mcpg/proto/errors'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'

/** Asks before something that cannot be undone; without a terminal it fails and names the flag that answers. */
export async function confirm({ env, settings, stopping }: Context, question: string, flag: string): Promise<boolean> {
  if (!settings.input)
    throw new McpgError('invalid', 'needs_confirmation', `${question} Nobody can be asked here.`, { hint: `answer with ${flag}` })
  const lines = createInterface({ input: env.stdin, output: env.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal: stopping })).trim())
  } catch {
    throw new Interrupted()
  } finally {
    lines.close()
  }
}

/** A line of text from the person at the terminal; without one it fails and names the flag that answers. `hidden`: nothing is echoed. */
export async function ask(
  { env, settings, stopping }: Context,
  question: string,
  { flag, hidden = false }: { flag: string; hidden?: boolean },
): Promise<string> {
  if (!settings.input)
    throw new McpgError('invalid', 'needs_input', `${question.replace(/:? *$/, '')} is needed, and nobody can be asked here.`, {
      hint: `give it with ${flag}`,
    })
  const aborted = new AbortController()
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  if (hidden) env.stderr.write(question)
  const lines = createInterface({ input: env.stdin, output: hidden ? silent : env.stderr, terminal: hidden })
  lines.once('SIGINT', () => aborted.abort())
  try {
    return (await lines.question(hidden ? '' : question, { signal: AbortSignal.any([stopping, aborted.signal]) })).trim()
  } catch {
    throw new Interrupted()
  } finally {
    lines.close()
    if (hidden) env.stderr.write('\n')
  }
}
