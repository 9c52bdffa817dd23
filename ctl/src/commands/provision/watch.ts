import type { Context } from '../../context.ts'
import { showOperation } from '../../follow-operation.ts'

export async function run(context: Context, [id = '']: string[], options: { timeout?: string }): Promise<number> {
  return await showOperation(context, await context.api(), id, options)
}
