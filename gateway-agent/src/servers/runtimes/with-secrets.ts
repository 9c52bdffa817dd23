import { secretsOf, type ConfigServer } from '@mcpg/proto/gateway-config'
import { hidingOf } from '../../secrets/hiding.ts'
import { resolved, type ResolvedServer } from '../../secrets/resolved.ts'
import type { Runtime } from './runtime.ts'

/** The values that a server needs, by id. Rejects with StartFailure `SecretUnavailable` that names what is missing and why. */
export type OpenSecrets = (config: ConfigServer, signal: AbortSignal) => Promise<ReadonlyMap<string, string>>

/** A runtime whose server gets its secrets when it is prepared for its first start, and whose words are cleaned of them. */
export function withSecrets(config: ConfigServer, open: OpenSecrets, runtimeOf: (server: ResolvedServer) => Runtime): Runtime {
  if (secretsOf(config).length === 0) return runtimeOf(resolved(config, new Map()))
  let runtime: Runtime | undefined
  let hide = (text: string) => text
  return { prepare, launch, hide: (text) => hide(text) }

  async function prepare(io: Parameters<Runtime['prepare']>[0]) {
    if (!runtime) {
      const values = await open(config, io.signal)
      hide = hidingOf(values.values())
      runtime = runtimeOf(resolved(config, values))
    }
    return await runtime.prepare(io)
  }

  async function launch(io: Parameters<Runtime['launch']>[0]) {
    if (!runtime) throw new Error('a server is launched after it was prepared')
    return await runtime.launch(io)
  }
}
