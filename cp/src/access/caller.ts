import { everything, readGrants, type Grant, type Rights } from '@mcpg/proto/grants'
import type { Principal } from './principal.ts'

/** Who makes a request; every service call takes it. */
export type Caller = Rights & {
  subject: string
  kind: 'local' | 'anonymous' | 'user' | 'serviceaccount' | 'token' | 'gateway'
  /** What its rights come from, for those who give some of them to others. */
  grants: readonly Grant[]
  /** Address of the peer's socket, never a header. */
  source: string
  requestId: string
  /** Of the token that was shown. */
  tokenId?: string | undefined
  /** Who really acts, where `subject` is somebody they act for. */
  impersonator?: string | undefined
}

type Request = { source: string; requestId: string }

const all = readGrants(everything)
const none: Rights = { can: () => false, visible: () => [], reaches: () => false }

/** Without sign-in everybody who reaches the listener has every right and is audited as `local`. */
export function localCaller({ source, requestId }: Request): Caller {
  return { ...all, subject: 'local', kind: 'local', grants: everything, source, requestId }
}

/** The control plane itself, where it does what nobody asks for at that moment. */
export function ownCaller(): Caller {
  return { ...all, subject: 'control-plane', kind: 'local', grants: everything, source: '', requestId: '' }
}

/** Somebody who signed in, with what they may do. */
export function callerFor(principal: Principal, grants: readonly Grant[], { source, requestId }: Request): Caller {
  const { kind } = principal
  const tokenId = kind === 'token' ? principal.tokenId : undefined
  return { ...readGrants(grants), subject: subjectOf(principal), kind, grants, source, requestId, tokenId }
}

/** Not signed in: what is public and nothing else. */
export function anonymousCaller({ source, requestId }: Request): Caller {
  return { ...none, can: (access) => access === 'public', subject: 'anonymous', kind: 'anonymous', grants: [], source, requestId }
}

/** A gateway that acts on its own credential; what it may do is decided by the RPC, never by this. */
export function gatewayCaller(gatewayId: string, source: string): Caller {
  return { ...none, can: (access) => access === 'gateway', subject: gatewayId, kind: 'gateway', grants: [], source, requestId: '' }
}

export function subjectOf(principal: Principal): string {
  if (principal.kind === 'user') return principal.email
  if (principal.kind === 'serviceaccount') return `${principal.org}/${principal.name}`
  return subjectOf(principal.owner)
}
