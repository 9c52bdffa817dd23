import { McpgError } from '@mcpg/proto/errors'
import type { FetchSecretsRequest, FetchSecretsResponse } from '@mcpg/proto/gen/delivery'

export type FetchSecrets = (
  request: Pick<FetchSecretsRequest, 'generation' | 'refs'>,
  signal: AbortSignal,
) => Promise<Pick<FetchSecretsResponse, 'values'>>

export type SecretDelivery = ReturnType<typeof secretDelivery>

/** The way to the control plane for secrets: there while a stream is, over the same connection and credential. */
export function secretDelivery() {
  let source: FetchSecrets | undefined
  const listeners = new Set<() => void>()
  return { attach, fetch, onAttach }

  /** The answer takes it away again, when the stream has ended. */
  function attach(fetchSecrets: FetchSecrets): () => void {
    source = fetchSecrets
    for (const listener of listeners) listener()
    return () => {
      if (source === fetchSecrets) source = undefined
    }
  }

  /** Rejects with `unavailable` while there is no stream. */
  async function fetch(...args: Parameters<FetchSecrets>): Promise<Pick<FetchSecretsResponse, 'values'>> {
    if (!source) throw new McpgError('unavailable', 'not_connected', 'the control plane is not connected')
    return await source(...args)
  }

  function onAttach(listener: () => void): () => void {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}
