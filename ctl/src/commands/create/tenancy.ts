import { createTenancy, type TenancyKind } from '../../api/tenancy.ts'
import type { Context } from '../../context.ts'
import { printAction } from '../../output/print-action.ts'

/** `create org|workspace|environment <name>`; where it is made is said by --org and --workspace. */
export function creatingTenancy(kind: TenancyKind) {
  return { run }

  async function run(context: Context, [name = '']: string[], { displayName }: { displayName?: string }): Promise<void> {
    const body = { name, ...(displayName !== undefined && { displayName }) }
    const made = await createTenancy(await context.api(), kind, body)
    await printAction(context, made, `${kind.kind.toLowerCase()}/${made.metadata.name} created`)
  }
}
