import { z } from 'zod'

/**
 * `<state>/run/control-plane.json` and `<state>/run/gateway-<name>.json`: written (0600) by a program once it is ready, removed when
 * it ends; a leftover is told from a live one by (pid, startTime). Read by `status`, `stop`, `doctor` and by a second start.
 */
export const RunFile = z.object({
  pid: z.number().int(),
  /** Kernel start time of the process in clock ticks since boot (Linux, /proc/<pid>/stat field 22), else ''. */
  startTime: z.string(),
  version: z.string(),
  startedAt: z.iso.datetime(),
  /** `http` and `grpc` of a control plane; `mcp` of a gateway. */
  endpoints: z.record(z.string(), z.string()),
  /** `sha256:…` of the roots behind an https `http` with a certificate of our own authority. */
  pins: z.array(z.string()).optional(),
  /** PEM file of the roots that clients of an https `mcp` need; absent where its certificate is the operator's own. */
  ca: z.string().optional(),
})
export type RunFile = z.infer<typeof RunFile>

export const controlPlaneRunFile = 'run/control-plane.json'
export const gatewayRunFile = (name: string) => `run/gateway-${name}.json`

/** In the folder of a gateway that the control plane of this machine started: `{pid, startTime}` of its agent, also before that is ready. */
export const managedProcessFile = (name: string) => `gateways/${name}/process.json`

/** In the state dir of a control plane that has no user yet; the command line reads it there. */
export const setupCodeFile = 'setup-code'
