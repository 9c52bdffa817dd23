import type { Quota, QuotaAmount, QuotaLimits } from '@mcpg/proto/rest/quotas'
import { plural, spellBytes, spellCpu } from '../../lib/format.ts'

/** Limits as the fields hold them, in CPUs and GiB; empty is not limited. */
export type LimitsDraft = Record<QuotaAmount, string>

const gibibyte = 2 ** 30

export const amounts: {
  amount: QuotaAmount
  label: string
  unit: string
  factor: number
  flag: string
  spell: (value: number) => string
}[] = [
  {
    amount: 'gateways',
    label: 'Gateways',
    unit: 'Most gateways',
    factor: 1,
    flag: '--gateways',
    spell: (value) => plural(value, 'gateway'),
  },
  { amount: 'cpuMillicores', label: 'CPU', unit: 'Most CPUs', factor: 1000, flag: '--cpu-millicores', spell: spellCpu },
  { amount: 'memoryBytes', label: 'Memory', unit: 'Most memory in GiB', factor: gibibyte, flag: '--memory-bytes', spell: spellBytes },
]

export const draftOf = (limits: QuotaLimits): LimitsDraft =>
  Object.fromEntries(
    amounts.map(({ amount, factor }) => [amount, limits[amount] === undefined ? '' : String(limits[amount] / factor)]),
  ) as LimitsDraft

/** What cannot be read as a number is sent as it is, and refused with its field. */
export const limitsOf = (draft: LimitsDraft): QuotaLimits =>
  Object.fromEntries(
    amounts.flatMap(({ amount, factor }) => (draft[amount].trim() === '' ? [] : [[amount, Math.round(Number(draft[amount]) * factor)]])),
  )

/** Of which amounts more is taken than these limits allow. */
export const exceededBy = (limits: QuotaLimits, used: Quota['used']): string[] =>
  amounts.filter(({ amount }) => (limits[amount] ?? Number.POSITIVE_INFINITY) < used[amount]).map(({ label }) => label)

/** The same by command; only what differs. */
export function setCommand(
  org: string,
  place: { workspace: string; environment: string } | null,
  before: QuotaLimits,
  after: QuotaLimits,
): string {
  const flags = amounts.flatMap(({ amount, flag }) => (before[amount] === after[amount] ? [] : [`${flag} ${after[amount] ?? 'unlimited'}`]))
  if (flags.length === 0) return ''
  const where = place ? ` --workspace ${place.workspace} --env ${place.environment}` : ''
  return `mcpg-ctl quota set --org ${org}${where} ${flags.join(' ')}`
}
