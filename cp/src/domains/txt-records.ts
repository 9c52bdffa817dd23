import { Resolver } from 'node:dns/promises'
import { McpgError } from '@mcpg/proto/errors'

const timeoutMs = 3_000
const tries = 2
/** Answers of a name server that say that there is no such record. */
const absent = new Set(['ENOTFOUND', 'ENODATA'])

export type TxtRecords = (name: string) => Promise<string[]>

/** The TXT records of a name, each in one piece; asked of these servers, or of those of this machine. Throws `unavailable`. */
export function txtRecords(servers: readonly string[]): TxtRecords {
  return async (name) => {
    const resolver = new Resolver({ timeout: timeoutMs, tries })
    if (servers.length > 0) resolver.setServers([...servers])
    try {
      return (await resolver.resolveTxt(name)).map((parts) => parts.join(''))
    } catch (error) {
      const { code = 'failed' } = error as { code?: string }
      if (absent.has(code)) return []
      throw new McpgError('unavailable', 'dns_unavailable', `No name server answered for the TXT record of ${name} (${code}).`, {
        hint: 'try again in a moment; serve --dns-server names other servers',
        retryAfterSeconds: 5,
        cause: error,
      })
    }
  }
}
