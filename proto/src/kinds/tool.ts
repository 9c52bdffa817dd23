import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

/** A tool as its server defines it; `definition` is the whole MCP Tool object. */
export const ToolSpec = z.object({
  server: z.string(),
  name: z.string(),
  /** Name on the aggregated endpoint: `server__tool`, shortened over 64 characters. */
  exposedName: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  definition: z.record(z.string(), z.unknown()),
  definitionHash: z.string(),
})
export type ToolSpec = z.infer<typeof ToolSpec>

export const ToolStatus = z.object({ gateways: z.array(z.string()) })
export type ToolStatus = z.infer<typeof ToolStatus>

const spec = (resource: Resource) => resource.spec as ToolSpec
const status = (resource: Resource) => resource.status as Partial<ToolStatus>
const firstLine = (text: string | undefined) => (text ?? '').split('\n')[0]!.slice(0, 80)

export const toolKind: KindDeclaration = {
  kind: 'Tool',
  plural: 'tools',
  aliases: ['tool'],
  scope: 'workspace',
  virtual: true,
  description: 'A tool that a server offers, as the gateways report it.',
  specVersion: 1,
  spec: ToolSpec,
  status: ToolStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => spec(resource).exposedName },
    { name: 'server', value: (resource) => spec(resource).server },
    { name: 'description', value: (resource) => firstLine(spec(resource).description) },
    { name: 'gateways', wide: true, value: (resource) => (status(resource).gateways ?? []).join(',') },
    { name: 'hash', wide: true, value: (resource) => spec(resource).definitionHash.slice(0, 8) },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
