import type { From } from '../audit/witness.ts'
import { isObject } from '../mcp/protocol.ts'
import { anonymous } from './asking/caller.ts'
import type { Post } from './post.ts'

/** Who makes a request, as far as its head and the entrance can tell. The control plane gives its request id along. */
export function fromOf(
  { request: { headers }, principal, subject, tokenId = '', impersonator = '', bytes }: Omit<Post, 'response' | 'target'>,
  clientInfo: unknown,
): From {
  return {
    subject: subject ?? (principal === anonymous ? '' : principal),
    tokenId,
    impersonator,
    client: isObject(clientInfo) && typeof clientInfo['name'] === 'string' ? clientInfo['name'] : '',
    requestId: plain(headers['x-request-id']),
    traceparent: plain(headers['traceparent']),
    bytes: bytes ?? (Number(headers['content-length'] ?? 0) || 0),
  }
}

const plain = (value: string | string[] | undefined): string => (typeof value === 'string' && /^[\w.-]{1,128}$/.test(value) ? value : '')
