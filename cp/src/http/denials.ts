import type { FastifyRequest } from 'fastify'
import type { Access } from '@mcpg/proto/access'
import type { ErrorCode, McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import { anonymousCaller } from '../access/caller.ts'
import type { AuditTarget } from '../audit/audit.ts'
import type { Denial } from '../audit/denials.ts'
import { isHiddenRefusal, nameOf, placeOf, plainAddress } from './access-rules.ts'

/** Where strangers show a password, a code or a token, every refusal is one of what they showed. */
const ofStrangers: readonly ErrorCode[] = ['rate_limited', 'not_found', 'gone']

/** Tells of the problems that are denials: what is forbidden, a bearer that does not hold, and guesses at what lets people in. */
export function tellDenials(denied: (denial: Denial) => void): (request: FastifyRequest, failure: McpgError) => void {
  return (request, failure) => {
    const { code } = failure
    const reason = isHiddenRefusal(failure) ? 'not_allowed' : failure.reason
    const { url, config } = request.routeOptions
    const { access } = config
    const isDenial =
      code === 'forbidden' ||
      isHiddenRefusal(failure) ||
      (code === 'unauthenticated' && request.headers['authorization'] !== undefined) ||
      (access === 'public' && ofStrangers.includes(code))
    if (!isDenial) return
    const caller = request.caller ?? anonymousCaller({ source: plainAddress(request.ip ?? ''), requestId: request.id })
    // Who nobody knows is told of in the trail of the platform: an organization is nothing that strangers may fill.
    const target = caller.kind === 'anonymous' ? {} : targetOf(request, access)
    denied({ caller, operation: `${request.method} ${url ?? 'unknown path'}`, reason, target })
  }
}

function targetOf(request: FastifyRequest, access: Access | undefined): AuditTarget {
  const { org, workspace } = placeOf(request)
  if (access === undefined || typeof access === 'string' || !('verb' in access)) return { org, workspace }
  return { org, workspace, kind: findKind(access.on)?.kind ?? access.on, name: nameOf(request, access) }
}
