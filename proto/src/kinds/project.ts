import { z } from 'zod'
import { Name } from '../names.ts'
import { Condition, type KindDeclaration, type Reference, type Resource } from './kind.ts'
import { LinkHealth, promptFields, saysSomething } from './prompt.ts'

/** UTF-16 units of a text that reaches clients with every `initialize`. */
const maxText = 32 * 1024

const Glob = z.string().min(1).max(256).describe('`*` and `?` stand for any characters and one character')
const Globs = z.array(Glob).max(200)

/** A tool is shown when `allow` is absent or names it, and `deny` does not. */
export const ToolPolicy = z.strictObject({
  allow: Globs.optional().describe('Only these tools; absent: every tool'),
  deny: Globs.optional().describe('Not these, whatever is allowed'),
})
export type ToolPolicy = z.infer<typeof ToolPolicy>

const ServerOverride = z.strictObject({
  tools: ToolPolicy.optional().describe('Tools of this server, by their own names'),
  instructions: z.string().max(maxText).optional().describe('What clients read instead of the instructions of the server'),
})

const ProjectPrompt = z.strictObject({ name: Name, ...promptFields }).refine(...saysSomething)

export const ProjectSpec = z
  .strictObject({
    description: z.string().max(1024).optional(),
    servers: z
      .array(Name)
      .max(500)
      .refine((names) => new Set(names).size === names.length, 'names a server twice')
      .optional()
      .describe('Servers of the workspace that clients of the project reach'),
    serverOverrides: z.record(Name, ServerOverride).optional().describe('What differs for one of the servers, by its name'),
    tools: ToolPolicy.optional().describe('Tools of the project, as `server__tool`'),
    instructions: z.string().max(maxText).optional().describe('What the project tells clients first, in place of the line of the gateway'),
    prompt: z.string().max(maxText).optional().describe('System prompt of the project; it follows the instructions'),
    prompts: z
      .array(ProjectPrompt)
      .max(200)
      .refine((prompts) => new Set(prompts.map(({ name }) => name)).size === prompts.length, 'names a prompt twice')
      .optional()
      .describe('Prompts that clients of the project find under these names'),
    gated: z
      .boolean()
      .optional()
      .describe('Whether a session begins with one tool that opens the others. Gateways get it and do not act on it yet'),
    proxyModel: Name.optional().describe(
      'Pipeline of results: default, gate, content-pipeline, or a ProxyModel. Gateways get it and do not act on it yet',
    ),
    llm: z
      .strictObject({ name: Name.describe('An Llm'), model: z.string().min(1).max(200).optional() })
      .optional()
      .describe('Model that the pipeline asks. Gateways get it and do not act on it yet'),
  })
  .superRefine(({ servers = [], serverOverrides = {} }, ctx) => {
    for (const name of Object.keys(serverOverrides))
      if (!servers.includes(name))
        ctx.addIssue({ code: 'custom', path: ['serverOverrides', name], message: `is no server of the project; add ${name} to servers` })
  })
export type ProjectSpec = z.infer<typeof ProjectSpec>

export const ProjectStatus = z.object({
  observedGeneration: z.number().int(),
  /** What clients find, in their order: prompts of the spec, and objects of the kind Prompt, which win over those of the same name. */
  prompts: z.array(z.object({ name: z.string(), priority: z.number().int(), from: z.enum(['spec', 'object']) })),
  /** Prompts that link to a resource of another project, and whether the link leads anywhere. */
  links: z.array(LinkHealth.extend({ prompt: z.string(), link: z.string() })),
  /** Where it is served: the gateways that have one of its servers. */
  gateways: z.array(z.object({ gateway: z.string(), environment: z.string(), servers: z.array(z.string()), url: z.string().optional() })),
  conditions: z.array(Condition),
})
export type ProjectStatus = z.infer<typeof ProjectStatus>

const spec = (resource: Resource) => resource.spec as ProjectSpec
const status = (resource: Resource) => resource.status as Partial<ProjectStatus>

/** A pipeline and a model are looked up when they are used: built-in pipelines have no object to refer to. */
function references(stored: unknown): Reference[] {
  const { servers = [] } = stored as ProjectSpec
  return servers.map((name, index) => ({ kind: 'Server', name, pointer: `/spec/servers/${index}` }))
}

export const projectKind: KindDeclaration = {
  kind: 'Project',
  plural: 'projects',
  aliases: ['project', 'proj'],
  scope: 'workspace',
  virtual: false,
  description:
    'A named bundle of servers, tools and prompts with an endpoint path of its own on every gateway that runs one of its servers.',
  specVersion: 1,
  spec: ProjectSpec,
  status: ProjectStatus,
  oneOf: [],
  sensitive: [],
  references,
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'servers', value: (resource) => (spec(resource).servers ?? []).join(',') },
    { name: 'prompts', value: (resource) => String((status(resource).prompts ?? spec(resource).prompts ?? []).length) },
    { name: 'gateways', value: (resource) => String(status(resource).gateways?.length ?? 0) },
    { name: 'description', value: (resource) => spec(resource).description ?? '' },
    {
      name: 'broken links',
      wide: true,
      value: (resource) => (status(resource).links ?? []).flatMap(({ prompt, health }) => (health === 'ok' ? [] : [prompt])).join(','),
    },
    { name: 'pipeline', wide: true, value: (resource) => spec(resource).proxyModel ?? 'default' },
    { name: 'gated', wide: true, value: (resource) => String(spec(resource).gated ?? false) },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
