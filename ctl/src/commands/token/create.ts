import type { Context } from '../../context.ts'
import { makeMcpToken, makeOwnToken, type TokenOptions } from '../../tokens/make-token.ts'

/** With a project it is the token of an MCP client of it, without one a token of whoever asks. */
export const run = (context: Context, [name = '']: string[], options: TokenOptions): Promise<void> =>
  context.settings.project === undefined ? makeOwnToken(context, name, options) : makeMcpToken(context, name, options)
