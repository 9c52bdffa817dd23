import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'
import { SecretKeyRef } from './server.ts'

export const LlmSpec = z.strictObject({
  type: z.enum(['anthropic', 'openai', 'gemini', 'ollama', 'vllm', 'openai-compatible']).describe('Whose API it speaks'),
  model: z.string().min(1).max(200).describe('Name of the model, as the provider calls it'),
  tier: z.enum(['fast', 'heavy']).optional().describe('What it is good for: short answers (fast) or long thoughts (heavy)'),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base of the API; absent: that of the provider'),
  apiKeyRef: SecretKeyRef.optional().describe('Key of a secret that holds the API key'),
  description: z.string().max(1024).optional(),
  extra: z
    .record(z.string().min(1).max(100), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Further settings of the provider. Gateways get it and do not act on it yet'),
})
export type LlmSpec = z.infer<typeof LlmSpec>

const spec = (resource: Resource) => resource.spec as LlmSpec

export const llmKind: KindDeclaration = {
  kind: 'Llm',
  plural: 'llms',
  aliases: ['llm'],
  scope: 'workspace',
  virtual: false,
  description:
    'A language model that pipelines of projects may ask. It reaches the gateways of these projects without its API key; they do not ask it yet.',
  specVersion: 1,
  spec: LlmSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: (stored) => {
    const { apiKeyRef } = stored as LlmSpec
    return apiKeyRef ? [{ kind: 'Secret', name: apiKeyRef.name, part: apiKeyRef.key, pointer: '/spec/apiKeyRef' }] : []
  },
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'type', value: (resource) => spec(resource).type },
    { name: 'model', value: (resource) => spec(resource).model },
    { name: 'tier', value: (resource) => spec(resource).tier ?? '' },
    { name: 'url', wide: true, value: (resource) => spec(resource).url ?? '' },
    { name: 'description', wide: true, value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
