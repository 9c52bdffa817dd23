import { licenseHeader, Me } from '@mcpg/proto/rest/auth'
import type { Api } from '../api/client.ts'

/** Who the control plane says we are, and what it says of our license. */
export async function whoAmI(api: Api, license: string | null, options: { retries?: number; timeoutMs?: number } = {}): Promise<Me> {
  const headers = license === null ? {} : { headers: { [licenseHeader]: license } }
  return (await api.call('GET', '/v1/auth/me', { schema: Me, ...headers, ...options })).body
}
