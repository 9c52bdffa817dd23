import { McpgError } from '@mcpg/proto/errors'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { listOf } from '@mcpg/proto/rest/list'
import type { Api } from './client.ts'
import { getObject, splitTarget } from './objects.ts'
import { environmentPath } from './paths.ts'

export type GatewayAt = { gateway: Resource; path: string }

/** The one gateway that a word (`edge-1` or `gateway/edge-1`) names, and its path. */
export async function gatewayAt(api: Api, word: string): Promise<GatewayAt> {
  const { kind, name } = word.includes('/') ? splitTarget(word) : { kind: gatewayKind, name: word }
  if (kind !== gatewayKind)
    throw new McpgError('invalid', 'not_a_gateway', `Only a gateway has configs, ${word} is a ${kind.kind}.`, {
      hint: 'write it like gateway/edge-1',
    })
  return placeOf(api, await getObject(api, gatewayKind, name))
}

export function placeOf({ settings }: Api, gateway: Resource): GatewayAt {
  const { environment = settings.environment, name } = gateway.metadata
  return { gateway, path: `${environmentPath({ ...settings, environment })}/gateways/${encodeURIComponent(name)}` }
}

/** Newest first. */
export async function configsOf(api: Api, { path }: Pick<GatewayAt, 'path'>): Promise<GatewayConfigEntry[]> {
  return (await api.call('GET', `${path}/configs`, { schema: listOf(GatewayConfigEntry) })).body.items
}

/** A generation as typed. */
export function generationOption(flag: string, text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text)
  throw new McpgError('invalid', 'usage', `${flag} needs the number of a generation, not "${text}".`, {
    hint: 'mcpg-ctl describe gateway/<name> lists them',
  })
}
