import { promptRequestKind } from '@mcpg/proto/kinds/prompt-request'
import { objectPath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { reviewedNames } from '../reviewed-names.ts'

export async function run(context: Context, words: string[]): Promise<void> {
  const names = reviewedNames(words)
  const api = await context.api()
  for (const name of names) {
    await api.call('POST', `${objectPath(context.settings, promptRequestKind, name)}/approve`, { body: {} })
    context.print(`promptrequest/${name} approved: prompt/${name} is written`)
  }
}
