import { z } from 'zod'
import { Pin } from '../kinds/gateway.ts'
import { ResourceInput } from '../kinds/kind.ts'

/**
 * Body of `POST …/workspaces/{w}/apply[?dryRun=true]`: whole objects, each with its `kind`, those of a project with its
 * `metadata.project`. At most 5,000 objects or 16 MiB. `POST /v1/orgs/{org}/apply` takes the kinds of the organization alone.
 * `prune` is a label selector; objects of the kinds and projects present that match it and are not in the request are deleted, but never
 * those of the organization.
 */
export const ApplyRequest = z.strictObject({
  objects: z.array(ResourceInput.required({ kind: true })).max(5000),
  prune: z.string().max(4096).optional(),
})
export type ApplyRequest = z.infer<typeof ApplyRequest>

/** One changed field; `path` is a JSON pointer into the resource (`/spec/…`, `/metadata/labels/…`). */
export const FieldDiff = z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })
export type FieldDiff = z.infer<typeof FieldDiff>

export const ApplyResult = z.object({
  kind: z.string(),
  /** Of an object that lives in one. */
  project: z.string().optional(),
  name: z.string(),
  result: z.enum(['created', 'configured', 'unchanged', 'deleted', 'conflict']),
  diffs: z.array(FieldDiff),
  /** Gateways that will run it after this change (servers only). */
  placedOn: z.array(z.string()).optional(),
  resourceVersion: z.string().optional(),
})
export type ApplyResult = z.infer<typeof ApplyResult>

/** A gateway that a change of the request does not reach until it is resumed. */
export const PinnedGateway = Pin.omit({ hash: true }).extend({ gateway: z.string() })
export type PinnedGateway = z.infer<typeof PinnedGateway>

export const ApplyResponse = z.object({ dryRun: z.boolean(), results: z.array(ApplyResult), pinned: z.array(PinnedGateway).optional() })
export type ApplyResponse = z.infer<typeof ApplyResponse>
