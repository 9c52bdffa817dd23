import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'
import { LinkHealth, promptFields, saysSomething } from './prompt.ts'

/** Annotation of a request that was rejected: why. Without it the request is open. */
export const rejection = 'mcpg.dev/rejected'

export const PromptRequestSpec = z
  .strictObject({
    ...promptFields,
    reason: z.string().max(1024).optional().describe('Why the project needs it; the prompt does not keep it'),
  })
  .refine(...saysSomething)
export type PromptRequestSpec = z.infer<typeof PromptRequestSpec>

export const PromptRequestStatus = z.object({
  observedGeneration: z.number().int(),
  state: z.enum(['open', 'rejected']),
  /** Why it was rejected. */
  rejectedFor: z.string().optional(),
  /** There is a Prompt of this name, which the request would replace. */
  replaces: z.boolean(),
  link: LinkHealth.optional(),
})
export type PromptRequestStatus = z.infer<typeof PromptRequestStatus>

const seen = z.string().optional().describe('resourceVersion of the request that was read; another one is refused (412)')

/** Body of `POST …/promptrequests/{r}/approve`. */
export const ApproveRequest = z.strictObject({ resourceVersion: seen })
export type ApproveRequest = z.infer<typeof ApproveRequest>

/** Body of `POST …/promptrequests/{r}/reject`. */
export const RejectRequest = z.strictObject({
  reason: z.string().trim().min(1).max(1024).describe('What whoever asked for it should know'),
  resourceVersion: seen,
})
export type RejectRequest = z.infer<typeof RejectRequest>

const spec = (resource: Resource) => resource.spec as PromptRequestSpec
const status = (resource: Resource) => resource.status as Partial<PromptRequestStatus>

export const promptRequestKind: KindDeclaration = {
  kind: 'PromptRequest',
  plural: 'promptrequests',
  aliases: ['promptrequest', 'pr'],
  scope: 'project',
  virtual: false,
  description:
    'A prompt that somebody proposes for a project. Approved it becomes the Prompt of its name, rejected it stays with the reason.',
  specVersion: 1,
  spec: PromptRequestSpec,
  status: PromptRequestStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'project', value: (resource) => resource.metadata.project ?? '' },
    { name: 'state', value: (resource) => status(resource).state ?? '' },
    { name: 'replaces', value: (resource) => String(status(resource).replaces ?? false) },
    { name: 'reason', value: (resource) => spec(resource).reason ?? '' },
    { name: 'rejected for', wide: true, value: (resource) => status(resource).rejectedFor ?? '' },
    { name: 'link', wide: true, value: (resource) => spec(resource).link ?? '' },
  ],
  actions: {
    approve: {
      access: { verb: 'edit', on: 'promptrequests' },
      description: 'Writes the prompt and removes the request, both or neither; for who may write that prompt. Answers the prompt',
      body: ApproveRequest,
    },
    reject: {
      access: { verb: 'edit', on: 'promptrequests' },
      description: 'Marks the request as rejected, with the reason',
      body: RejectRequest,
    },
  },
  upgrade: (stored) => stored,
}
