import { z } from 'zod'
import { authModes } from './auth.ts'

export const Version = z.object({ version: z.string(), protocol: z.object({ min: z.number(), max: z.number() }) })

/** `GET /v1/control/status`; sizes in bytes, times in RFC 3339. */
export const ControlStatus = z.object({
  version: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
  uptimeSeconds: z.number(),
  authMode: z.enum(authModes),
  endpoints: z.object({ http: z.string(), grpc: z.string(), console: z.string() }),
  database: z.object({
    engine: z.enum(['sqlite', 'postgresql']),
    /** Of the engine. */
    version: z.string(),
    /** Path of the file, or URL without its password. */
    address: z.string(),
    sizeBytes: z.number(),
    migrations: z.number().int(),
    rows: z.record(z.string(), z.number()),
  }),
  gateways: z.object({ total: z.number().int(), online: z.number().int() }),
  servers: z.number().int(),
})
export type ControlStatus = z.infer<typeof ControlStatus>
