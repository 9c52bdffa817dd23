import { McpgError } from '@mcpg/proto/errors'
import type { GatewayIdentity } from './stream.ts'

/** Why a gateway that is not `active` gets nothing; null for one that is. */
export function standingRefusal(standing: GatewayIdentity['standing']): McpgError | null {
  switch (standing) {
    case 'active':
      return null
    case 'revoked':
      return new McpgError('unauthenticated', 'credential_revoked', 'The credential was revoked.', { hint: enrollAgain })
    case 'deleted':
      return new McpgError('gone', 'gateway_deleted', 'This gateway was deleted.', { hint: enrollAgain })
    case 'superseded':
      return new McpgError('unauthenticated', 'credential_superseded', 'A newer certificate has replaced this one.', {
        hint: 'use the newest certificate of this gateway; if it is lost, enroll it again with --re-enroll',
      })
    case 'locked':
      return lockedError()
  }
}

export const lockedError = () =>
  new McpgError(
    'locked',
    'credential_clone_suspected',
    'This identity is locked: its key was used in two places, so its state dir was copied.',
    { hint: 'mcpg-ctl delete gateway/<name>, then mcpg-ctl enroll create, then mcpg-ctl gateway --enrollment-url <url> --re-enroll' },
  )

const enrollAgain = 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll'
