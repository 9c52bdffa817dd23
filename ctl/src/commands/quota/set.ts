import { McpgError } from '@mcpg/proto/errors'
import { quotaAmounts, Quotas, type PutQuotas, type QuotaAmount, type QuotaLimits } from '@mcpg/proto/rest/quotas'
import { orgPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { printQuotas } from '../../output/print-quotas.ts'

export type SetOptions = { env?: string } & Partial<Record<QuotaAmount, string>>

const flags: Record<QuotaAmount, string> = { gateways: '--gateways', cpuMillicores: '--cpu-millicores', memoryBytes: '--memory-bytes' }

export async function run(context: Context, _args: string[], { env, ...given }: SetOptions): Promise<void> {
  const { settings } = context
  const changes = read(given)
  const environment = env ?? (settings.environmentGiven ? settings.environment : undefined)
  const api = await context.api()
  const path = `${orgPath(settings)}/quotas`
  const { body: before } = await api.call('GET', path, { schema: Quotas })
  const { workspace } = settings
  const known = before.environments.find((one) => one.workspace === workspace && one.environment === environment)
  const limits = changed((environment === undefined ? before.org : known)?.limits ?? {}, changes)
  const body: PutQuotas = environment === undefined ? { org: limits } : { environments: [{ workspace, environment, limits }] }
  await printQuotas(context, (await api.call('PUT', path, { body, schema: Quotas })).body)
}

/** All that is wrong at once. */
function read(given: Partial<Record<QuotaAmount, string>>): Map<QuotaAmount, number | null> {
  const changes = new Map<QuotaAmount, number | null>()
  const violations: { pointer: string; detail: string }[] = []
  for (const amount of quotaAmounts) {
    const text = given[amount]
    if (text === undefined) continue
    if (text === 'unlimited') changes.set(amount, null)
    else if (/^\d{1,15}$/.test(text)) changes.set(amount, Number(text))
    else violations.push({ pointer: `/${amount}`, detail: `${flags[amount]} must be a whole number or unlimited, not ${text}` })
  }
  if (violations.length > 0) throw new McpgError('invalid', 'usage', violations.map(({ detail }) => detail).join('; '), { violations })
  if (changes.size > 0) return changes
  throw new McpgError('invalid', 'usage', 'Nothing to set was given.', { hint: `give ${Object.values(flags).join(', ')}` })
}

function changed(before: QuotaLimits, changes: ReadonlyMap<QuotaAmount, number | null>): QuotaLimits {
  const entries = quotaAmounts.map((amount) => [amount, changes.has(amount) ? changes.get(amount) : before[amount]] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined))
}
