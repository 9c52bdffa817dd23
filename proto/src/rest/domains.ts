import { z } from 'zod'
import { listOf } from './list.ts'

const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'

/** A name of DNS as people register them: at least two parts, lower case, no dot at the end. */
export const Hostname = z
  .string()
  .max(253)
  .regex(
    new RegExp(`^(${label}\\.)+${label}$`),
    'must be a host name such as tools.example.com: parts of 1-63 of a-z, 0-9 and - with dots between',
  )

/** `POST /v1/orgs/{org}/domains`; again it answers the same record. */
export const AddDomain = z.strictObject({ host: Hostname })
export type AddDomain = z.infer<typeof AddDomain>

/** Whoever runs the DNS of `host` shows that it is theirs by a TXT record; then gateways may have it and every name below it. */
export const Domain = z.object({
  host: z.string(),
  state: z.enum(['pending', 'verified']),
  record: z.object({ type: z.literal('TXT'), name: z.string(), value: z.string() }),
  createdAt: z.string(),
  createdBy: z.string(),
  verifiedAt: z.string().optional(),
  /** Managed gateways with a name at or below it. */
  usedBy: z.array(z.object({ hostname: z.string(), workspace: z.string(), environment: z.string(), gateway: z.string() })),
})
export type Domain = z.infer<typeof Domain>
export const DomainList = listOf(Domain)
