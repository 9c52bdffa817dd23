import { z } from 'zod'
import { Name } from '../names.ts'

/** An organization, workspace or environment. Deleted only when empty. */
export const Tenancy = z.object({ name: z.string(), displayName: z.string().optional(), createdAt: z.string() })
export type Tenancy = z.infer<typeof Tenancy>

export const CreateTenancy = z.strictObject({ name: Name, displayName: z.string().max(200).optional() })
export type CreateTenancy = z.infer<typeof CreateTenancy>

/** Exists from the first start, so that nobody has to type it. */
export const defaultScope = { org: 'default', workspace: 'default', environment: 'default' } as const
