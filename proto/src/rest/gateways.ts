import { z } from 'zod'
import { configFailures, configStates } from '../status.ts'
import { Labels } from '../names.ts'

/** `PATCH …/gateways/{gateway}` replaces its labels. */
export const PatchGateway = z.strictObject({ labels: Labels })
export type PatchGateway = z.infer<typeof PatchGateway>

/** One entry of a gateway's history, newest first; `GET …/configs/{generation}` adds the document. */
export const GatewayConfigEntry = z.object({
  generation: z.number().int(),
  hash: z.string(),
  createdAt: z.string(),
  state: z.enum([...configStates, 'offered', 'waiting']),
  reason: z.enum(configFailures).optional(),
  message: z.string().optional(),
  force: z.boolean(),
  servers: z.array(z.string()),
  document: z.record(z.string(), z.unknown()).optional(),
})
export type GatewayConfigEntry = z.infer<typeof GatewayConfigEntry>
