import { createHash } from 'node:crypto'

/** Whoever reaches an endpoint that asks for no sign-in. */
export const anonymous = 'anonymous'

/**
 * Who a modern client is, for whom a process is kept and a parked call is held. Its requests share no connection and no session, so beside
 * whom the entrance has let in (`principal`) only what the client says of itself can tell two apart. Clients that nothing tells apart are
 * one caller: the same program of the same user.
 */
export function callerOf(principal: string, clientInfo: unknown): string {
  const said = clientInfo === undefined ? '' : JSON.stringify(clientInfo)
  return createHash('sha256').update(`${principal}\n${said}`).digest('base64url').slice(0, 22)
}
