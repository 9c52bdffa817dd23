import { z } from 'zod'
import { Name } from '../names.ts'
import type { KindDeclaration, Resource } from './kind.ts'

/** Pipelines that are there without an object, whatever objects are called. */
export const builtInPipelines: readonly string[] = ['default', 'gate', 'content-pipeline']

const Stage = z.strictObject({
  type: z.enum(['passthrough', 'paginate', 'section-split', 'summarize-tree']).describe('What is done to a result'),
  options: z
    .record(z.string().min(1).max(100), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Settings of the stage'),
})

export const ProxyModelSpec = z.strictObject({
  description: z.string().max(1024).optional(),
  stages: z.array(Stage).min(1).max(50).describe('What results pass through, in this order'),
  llm: Name.optional().describe('The Llm that stages ask where the project names none'),
})
export type ProxyModelSpec = z.infer<typeof ProxyModelSpec>

const spec = (resource: Resource) => resource.spec as ProxyModelSpec

export const proxyModelKind: KindDeclaration = {
  kind: 'ProxyModel',
  plural: 'proxymodels',
  aliases: ['proxymodel', 'pm'],
  scope: 'workspace',
  virtual: false,
  description: 'A pipeline that the results of a project pass through. It reaches the gateways of its projects; they do not act on it yet.',
  specVersion: 1,
  spec: ProxyModelSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: (stored) => {
    const { llm } = stored as ProxyModelSpec
    return llm === undefined ? [] : [{ kind: 'Llm', name: llm, pointer: '/spec/llm' }]
  },
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    {
      name: 'stages',
      value: (resource) =>
        spec(resource)
          .stages.map(({ type }) => type)
          .join(','),
    },
    { name: 'llm', value: (resource) => spec(resource).llm ?? '' },
    { name: 'description', wide: true, value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
