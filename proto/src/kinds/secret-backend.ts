import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

/** What is not there yet, as people call it, and why it is refused. */
const others: Readonly<Record<string, string>> = {
  plaintext: 'values are never kept as plain text; built-in seals them under the master key',
  openbao: 'is planned and not there yet',
  vault: 'is planned and not there yet',
}

const Type = z.enum(['built-in'], {
  error: ({ input }) => {
    const why = typeof input === 'string' ? others[input] : undefined
    return `must be built-in, which keeps values sealed in the database${why ? `: ${String(input)} ${why}` : ''}`
  },
})

export const SecretBackendSpec = z.strictObject({
  type: Type.optional().describe('What keeps the values: the database, sealed under the master key (built-in)'),
  default: z
    .boolean()
    .optional()
    .describe('Whether values go there where nothing is said. Where no object says so, they go to the database'),
  description: z.string().max(1024).optional(),
})
export type SecretBackendSpec = z.infer<typeof SecretBackendSpec>

const spec = (resource: Resource) => resource.spec as SecretBackendSpec

export const secretBackendKind: KindDeclaration = {
  kind: 'SecretBackend',
  plural: 'secretbackends',
  aliases: ['secretbackend', 'sb'],
  scope: 'workspace',
  virtual: false,
  description:
    'Where the values of secrets are kept. Without one it is the database, sealed under the master key; at most one object is the default.',
  specVersion: 1,
  spec: SecretBackendSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'type', value: (resource) => spec(resource).type ?? 'built-in' },
    { name: 'default', value: (resource) => String(spec(resource).default ?? false) },
    { name: 'description', wide: true, value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
