import type { Context } from '../../context.ts'
import { durationOption } from '../../duration-option.ts'
import { showOperation } from '../../follow-operation.ts'

export async function run(context: Context, [id = '']: string[], { timeout }: { timeout: string }): Promise<number> {
  const timeoutMs = durationOption('--timeout', timeout)
  return await showOperation(context, await context.api(), id, { timeoutMs })
}
