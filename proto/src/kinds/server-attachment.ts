import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

export const ServerAttachmentStatus = z.object({
  /** The gateways that run the server and serve the project. */
  gateways: z.array(z.string()),
})
export type ServerAttachmentStatus = z.infer<typeof ServerAttachmentStatus>

export const serverAttachmentKind: KindDeclaration = {
  kind: 'ServerAttachment',
  plural: 'serverattachments',
  aliases: ['serverattachment', 'sa'],
  scope: 'project',
  virtual: true,
  appliedAs: 'Project',
  description:
    'A server of a project, by the name of the server. Applying one attaches the server to the project, deleting one detaches it.',
  specVersion: 1,
  spec: z.strictObject({}),
  status: ServerAttachmentStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'project', value: (resource) => resource.metadata.project ?? '' },
    { name: 'gateways', value: (resource: Resource) => ((resource.status as Partial<ServerAttachmentStatus>).gateways ?? []).join(',') },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
