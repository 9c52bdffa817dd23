import type { Context } from '../../context.ts'
import { run as get } from '../get.ts'

export const run = (context: Context, _args: string[], { selector }: { selector?: string }): Promise<void> =>
  get(context, ['enrollments'], selector ? { selector } : {})
