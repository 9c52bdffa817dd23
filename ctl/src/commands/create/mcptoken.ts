import type { Context } from '../../context.ts'
import { makeMcpToken, type TokenOptions } from '../../tokens/make-token.ts'

export const run = (context: Context, [name = '']: string[], options: TokenOptions): Promise<void> => makeMcpToken(context, name, options)
