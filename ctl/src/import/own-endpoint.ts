import { basename } from 'node:path'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { Draft } from './draft.ts'

/** Where an endpoint listens unless it is told otherwise. */
const ports = { first: 7845, last: 7864 }

/**
 * Whether a client's entry leads to an endpoint of mcpg: to one of a project, wherever that is, through the control plane, to a gateway of
 * this machine (`endpoints` are their URLs), or through `mcpg-ctl mcp`. As a server it would lead back to itself.
 */
export function isOwnEndpoint(source: Draft['source'], endpoints: readonly string[]): boolean {
  if ('command' in source) return /^mcpg-ctl(\.\w+)?$/.test(basename(source.command[0] ?? '')) && source.command[1] === 'mcp'
  if (!('url' in source) || !URL.canParse(source.url)) return false
  const { origin, hostname, port, pathname } = new URL(source.url)
  if (/^\/mcp\/projects\/[a-z0-9-]+\/?$/.test(pathname)) return true
  if (/^\/v1\/orgs\/[^/]+\/workspaces\/[^/]+\/mcp(\/|$)/.test(pathname)) return true
  if (!/^\/mcp(\/servers\/[a-z0-9-]+)?\/?$/.test(pathname)) return false
  const isDefault = isLoopbackHost(hostname) && Number(port) >= ports.first && Number(port) <= ports.last
  return isDefault || endpoints.some((one) => URL.canParse(one) && new URL(one).origin === origin)
}
