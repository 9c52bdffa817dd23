import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

/** A resource of a server in another project; the URI is the server's own. */
const Link = z
  .string()
  .max(2048)
  .regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}:\S+$/, 'must be project/server:uri')
  .describe('A resource of a server of another project, as `project/server:uri`; its text follows the content')

/** What a prompt says, as an object of its own or in the spec of a project. */
export const promptFields = {
  description: z.string().max(1024).optional(),
  content: z
    .string()
    .min(1)
    .max(64 * 1024)
    .optional()
    .describe('Text of the prompt'),
  link: Link.optional(),
  priority: z.int().min(1).max(10).optional().describe('1-10, the most important first in lists; 5 where nothing is said'),
}

/** Whether a prompt says anything, and what is told where it does not. */
export const saysSomething = [
  ({ content, link }: { content?: string | undefined; link?: string | undefined }) => content !== undefined || link !== undefined,
  'needs content, link, or both',
] as const

export const PromptSpec = z.strictObject(promptFields).refine(...saysSomething)
export type PromptSpec = z.infer<typeof PromptSpec>

/** `unserved`: the link is right, and no gateway that serves this project runs the server that it names. */
export const linkHealths = ['ok', 'project-missing', 'server-missing', 'unserved'] as const
export const LinkHealth = z.object({ health: z.enum(linkHealths), message: z.string().optional() })
export type LinkHealth = z.infer<typeof LinkHealth>

/** The parts of a link that has passed its schema. */
export function linkParts(link: string): { project: string; server: string; uri: string } {
  const [, project = '', server = '', uri = ''] = /^([^/]+)\/([^:]+):(.*)$/s.exec(link) ?? []
  return { project, server, uri }
}

export const PromptStatus = z.object({
  observedGeneration: z.number().int(),
  /** Whether its link leads anywhere; absent without a link. */
  link: LinkHealth.optional(),
})
export type PromptStatus = z.infer<typeof PromptStatus>

const spec = (resource: Resource) => resource.spec as PromptSpec
const status = (resource: Resource) => resource.status as Partial<PromptStatus>

export const promptKind: KindDeclaration = {
  kind: 'Prompt',
  plural: 'prompts',
  aliases: ['prompt'],
  scope: 'project',
  virtual: false,
  description: 'A text that clients of a project find in its list of prompts.',
  specVersion: 1,
  spec: PromptSpec,
  status: PromptStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'project', value: (resource) => resource.metadata.project ?? '' },
    { name: 'priority', value: (resource) => String(spec(resource).priority ?? 5) },
    { name: 'link', value: (resource) => spec(resource).link ?? '' },
    { name: 'link health', wide: true, value: (resource) => status(resource).link?.health ?? '' },
    { name: 'description', wide: true, value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
