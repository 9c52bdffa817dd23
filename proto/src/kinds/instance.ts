import { z } from 'zod'
import { instanceStates } from '../status.ts'
import type { KindDeclaration, Resource } from './kind.ts'

export const InstanceSpec = z.object({ server: z.string(), gateway: z.string() })
export type InstanceSpec = z.infer<typeof InstanceSpec>

export const InstanceStatus = z.object({
  state: z.enum([...instanceStates, 'unknown']),
  /** CamelCase: ExitedEarly, InitializeTimeout, SpawnFailed, InstallFailed, ToolsListFailed, LineTooLong … */
  reason: z.string().optional(),
  message: z.string().optional(),
  exitCode: z.number().int().optional(),
  signal: z.string().optional(),
  lastLogLines: z.array(z.string()),
  protocolVersion: z.string().optional(),
  startTime: z.string().optional(),
  readyTime: z.string().optional(),
  restartCount: z.number().int(),
  inFlight: z.number().int(),
  /** It serves one client session or one caller alone; absent: everybody whose calls need no process of their own. */
  belongsTo: z.enum(['session', 'caller']).optional(),
})
export type InstanceStatus = z.infer<typeof InstanceStatus>

const spec = (resource: Resource) => resource.spec as InstanceSpec
const status = (resource: Resource) => resource.status as Partial<InstanceStatus>

export const instanceKind: KindDeclaration = {
  kind: 'Instance',
  plural: 'instances',
  aliases: ['instance', 'inst'],
  scope: 'workspace',
  virtual: true,
  description: 'One running replica of a server on one gateway. Never created or edited by hand; a deleted one is replaced.',
  specVersion: 1,
  spec: InstanceSpec,
  status: InstanceStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'server', value: (resource) => spec(resource).server },
    { name: 'gateway', value: (resource) => spec(resource).gateway },
    { name: 'state', value: (resource) => status(resource).state ?? 'unknown' },
    { name: 'reason', value: (resource) => status(resource).reason ?? '' },
    { name: 'restarts', value: (resource) => String(status(resource).restartCount ?? 0) },
    { name: 'started', value: (resource) => status(resource).startTime ?? '' },
    { name: 'belongs-to', wide: true, value: (resource) => status(resource).belongsTo ?? '' },
    { name: 'mcp', wide: true, value: (resource) => status(resource).protocolVersion ?? '' },
    { name: 'in-flight', wide: true, value: (resource) => String(status(resource).inFlight ?? 0) },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
