import { z } from 'zod'
import { Name } from '../names.ts'

/** What can be limited, each on its own. */
export const quotaAmounts = ['gateways', 'cpuMillicores', 'memoryBytes'] as const
export type QuotaAmount = (typeof quotaAmounts)[number]

const Amount = z.number().int().min(0)
const limit = { gateways: Amount.max(1_000_000), cpuMillicores: Amount.max(1_000_000_000), memoryBytes: Amount.max(2 ** 50) }

/** The most that managed gateways may take together; what is missing is not limited, and 0 is none at all. */
export const QuotaLimits = z.strictObject(limit).partial()
export type QuotaLimits = z.infer<typeof QuotaLimits>

/** `used`: what is reserved for managed gateways now, finished or on their way. */
const Quota = z.object({
  limits: QuotaLimits,
  used: z.object({ gateways: z.number(), cpuMillicores: z.number(), memoryBytes: z.number() }),
})
export type Quota = z.infer<typeof Quota>

/**
 * `GET /v1/orgs/{org}/quotas`: what the organization may take, and each of its environments, which is listed when it has a limit or takes
 * something. Both hold: an environment never gets more than its organization.
 */
export const Quotas = z.object({ org: Quota, environments: z.array(Quota.extend({ workspace: z.string(), environment: z.string() })) })
export type Quotas = z.infer<typeof Quotas>

/**
 * `PUT /v1/orgs/{org}/quotas`. `org` replaces the limits of the organization, which is for whoever has `cluster-admin`; each environment
 * that is listed gets these limits instead of those it had. What is left out stays.
 */
export const PutQuotas = z.strictObject({
  org: QuotaLimits.optional(),
  environments: z
    .array(z.strictObject({ workspace: Name, environment: Name, limits: QuotaLimits }))
    .max(500)
    .optional(),
})
export type PutQuotas = z.infer<typeof PutQuotas>

/** A limit that a reservation would have passed: which one, of which quota, and by what. */
export const ExceededQuota = z.object({
  quota: z.string().describe('org or workspace/environment'),
  amount: z.enum(quotaAmounts),
  used: z.number(),
  of: z.number(),
  asked: z.number(),
})
export type ExceededQuota = z.infer<typeof ExceededQuota>

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
const inWords: Record<QuotaAmount, (amount: number) => string> = {
  gateways: (amount) => `${amount} ${amount === 1 ? 'gateway' : 'gateways'}`,
  cpuMillicores: (amount) => `${amount}m CPU`,
  memoryBytes: (amount) => `${mebibytes(amount)} memory`,
}

/** An amount with its unit, for a person. */
export const amountText = (amount: QuotaAmount, value: number): string => inWords[amount](value)
