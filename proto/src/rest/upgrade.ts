import { z } from 'zod'
import { FieldDiff } from './apply.ts'

/** Body of `POST …/servers/{s}/upgrade`. Without `to`: the newest version. Parameters that are not given stay as they were recorded. */
export const UpgradeRequest = z.strictObject({
  to: z.string().min(1).max(63).optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  dryRun: z.boolean().optional(),
})
export type UpgradeRequest = z.infer<typeof UpgradeRequest>

/** `conflicts` are fields that both the template and somebody here changed; only a dry run answers any, else they are a 409. */
export const UpgradeAnswer = z.object({
  dryRun: z.boolean(),
  from: z.string(),
  to: z.string(),
  diffs: z.array(FieldDiff),
  conflicts: z.array(z.object({ pointer: z.string(), detail: z.string() })),
})
export type UpgradeAnswer = z.infer<typeof UpgradeAnswer>
