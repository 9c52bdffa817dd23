import { z } from 'zod'
import { Duration, durationMs } from '../durations.ts'
import { InstanceUid, Labels, Name } from '../names.ts'

/** Default 15 min, at most 24 h; a name only with one use (`docs/protocol.md`). */
export const CreateEnrollment = z
  .strictObject({
    name: Name.optional(),
    labels: Labels.optional(),
    ttl: Duration.refine((ttl) => durationMs(ttl) >= 1000 && durationMs(ttl) <= 86_400_000, 'must be between 1s and 24h').default('15m'),
    maxUses: z.number().int().min(1).max(100).default(1),
    expectedInstanceUid: InstanceUid.optional(),
    cidrs: z
      .array(z.union([z.cidrv4(), z.cidrv6()]))
      .max(64)
      .optional(),
  })
  .superRefine((body, ctx) => {
    for (const field of ['name', 'expectedInstanceUid'] as const)
      if (body[field] !== undefined && body.maxUses > 1)
        ctx.addIssue({ code: 'custom', path: [field], message: 'fits only one gateway, so maxUses must be 1' })
  })
export type CreateEnrollment = z.infer<typeof CreateEnrollment>

/** Answered once; the token stands in `url` and `command` and nowhere else. */
export const CreatedEnrollment = z.object({ name: z.string(), url: z.string(), command: z.string(), expiresAt: z.string() })
export type CreatedEnrollment = z.infer<typeof CreatedEnrollment>

/** The one shape of tokens, for scanners and redaction: prefix, 32 random bytes, CRC32. */
export const enrollmentTokenPattern = /mcpg_enr_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{6}/
