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
