import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

/** An enrollment never shows its token: that leaves once, in the answer to its creation. */
export const EnrollmentSpec = z.object({
  maxUses: z.number().int(),
  expiresAt: z.string(),
  gatewayName: z.string().optional(),
  expectedInstanceUid: z.string().optional(),
  cidrs: z.array(z.string()),
})
export type EnrollmentSpec = z.infer<typeof EnrollmentSpec>

export const enrollmentStates = ['open', 'used', 'expired', 'revoked'] as const

export const EnrollmentStatus = z.object({
  state: z.enum(enrollmentStates),
  usedCount: z.number().int(),
  createdBy: z.string(),
  /** `confirmedAt` is the first hello on the new credential. */
  redemptions: z.array(z.object({ gateway: z.string(), source: z.string(), at: z.string(), confirmedAt: z.string().optional() })),
})
export type EnrollmentStatus = z.infer<typeof EnrollmentStatus>

const spec = (resource: Resource) => resource.spec as EnrollmentSpec
const status = (resource: Resource) => resource.status as Partial<EnrollmentStatus>

export const enrollmentKind: KindDeclaration = {
  kind: 'Enrollment',
  plural: 'enrollments',
  aliases: ['enrollment', 'enr'],
  scope: 'workspace',
  virtual: true,
  description: 'A one-time URL that turns an installation into a gateway. Its labels become those of the gateway.',
  specVersion: 1,
  spec: EnrollmentSpec,
  status: EnrollmentStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'environment', value: (resource) => resource.metadata.environment ?? '' },
    { name: 'state', value: (resource) => status(resource).state ?? '' },
    { name: 'uses', value: (resource) => `${status(resource).usedCount ?? 0}/${spec(resource).maxUses}` },
    { name: 'expires', value: (resource) => spec(resource).expiresAt },
    { name: 'gateways', value: (resource) => (status(resource).redemptions ?? []).map((one) => one.gateway).join(',') },
  ],
  actions: {
    revoke: { access: { verb: 'delete', on: 'enrollments' }, description: 'Voids the token; refused once it is used' },
  },
  upgrade: (stored) => stored,
}
