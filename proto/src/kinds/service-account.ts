import { z } from 'zod'
import type { KindDeclaration } from './kind.ts'

export const ServiceAccountSpec = z.strictObject({
  description: z.string().max(1024).optional().describe('What it is for, in a sentence'),
})
export type ServiceAccountSpec = z.infer<typeof ServiceAccountSpec>

export const serviceAccountKind: KindDeclaration = {
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  aliases: ['serviceaccount', 'svcacct'],
  scope: 'org',
  virtual: false,
  description: 'A program that acts in the organization on its own, by a token and with the rights that are bound to it.',
  specVersion: 1,
  spec: ServiceAccountSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: ({ metadata }) => metadata.name },
    { name: 'description', value: ({ spec }) => (spec as ServiceAccountSpec).description ?? '' },
  ],
  actions: {},
  upgrade: (spec) => spec,
}
