import type { ServerResponse } from 'node:http'
import { isObject, metaKeys, rpcCodes, type Implementation, type Params } from '../mcp/protocol.ts'
import { concerns } from './concerns.ts'
import type { Catalog, CatalogEvent } from './catalog.ts'
import type { ListKind } from './lists.ts'
import { errorText, openStream, sendJson, writeEvent, type Streams } from './reply.ts'
import type { ResourceWatch, Watcher } from './resource-watch.ts'
import { serverMeta } from './result-text.ts'
import type { Target } from './target.ts'

const maxResources = 1_000

type Listen = {
  target: Target
  id: string
  kinds: ReadonlySet<ListKind>
  response: ServerResponse
  serverInfo: Implementation
}

const wishes = [
  { field: 'toolsListChanged', kinds: ['tools'], method: 'notifications/tools/list_changed' },
  { field: 'promptsListChanged', kinds: ['prompts'], method: 'notifications/prompts/list_changed' },
  { field: 'resourcesListChanged', kinds: ['resources', 'resourceTemplates'], method: 'notifications/resources/list_changed' },
] as const satisfies { field: string; kinds: ListKind[]; method: string }[]

export type Listens = ReturnType<typeof listens>

/** `subscriptions/listen` of modern clients: one POST each whose answer stays open. */
export function listens({
  catalog,
  watch,
  streams,
  maxListens,
}: {
  catalog: Catalog
  watch: ResourceWatch
  streams: Streams
  maxListens: number
}) {
  const open = new Set<Listen>()
  const unsubscribe = catalog.onEvent(onEvent)
  return { serve, count: () => open.size, stop }

  /** `id` is the JSON text of the request's id, which every notification is tagged with. */
  async function serve(response: ServerResponse, target: Target, id: string, params: Params): Promise<void> {
    const filter = params['notifications']
    if (!isObject(filter))
      return sendJson(
        response,
        400,
        errorText(id, { code: rpcCodes.invalidParams, message: 'subscriptions/listen needs params.notifications.' }),
      )
    if (open.size >= maxListens)
      return sendJson(
        response,
        503,
        errorText(id, { code: rpcCodes.internal, message: 'Too many subscriptions are open; try again later.' }),
        { 'retry-after': '30' },
      )
    const facts = await target.facts('modern')
    if ('unavailable' in facts)
      return sendJson(response, 503, errorText(id, { code: rpcCodes.internal, message: facts.unavailable }), { 'retry-after': '5' })
    const kept = wishes.filter(({ field, kinds }) => filter[field] === true && isDeclared(facts.capabilities, kinds[0]))
    const listen: Listen = { target, id, kinds: new Set(kept.flatMap(({ kinds }) => kinds)), response, serverInfo: facts.serverInfo }
    const watcher: Watcher = {
      onUpdated: (server, uri) => send(listen, 'notifications/resources/updated', { uri: target.exposedUri(server, uri) }),
    }
    const uris = await watchAll(target, filter['resourceSubscriptions'], watcher)
    if (response.destroyed) return watch.unwatchAll(watcher)
    openStream(response, streams)
    open.add(listen)
    response.once('close', () => {
      open.delete(listen)
      watch.unwatchAll(watcher)
    })
    const notifications = {
      ...Object.fromEntries(kept.map(({ field }) => [field, true])),
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    }
    send(listen, 'notifications/subscriptions/acknowledged', { notifications })
    if (Object.keys(notifications).length === 0) end(listen)
  }

  /** The URIs that are watched now; what nobody serves or nobody lets us watch is left out of the acknowledgement. */
  async function watchAll(target: Target, wanted: unknown, watcher: Watcher): Promise<string[]> {
    if (!Array.isArray(wanted)) return []
    const uris = wanted.filter((uri) => typeof uri === 'string').slice(0, maxResources)
    const watched = await Promise.all(
      uris.map(async (uri) => {
        const route = await target.route('resources/subscribe', { uri })
        return 'book' in route && (await watch.watch(route.book, String(route.params['uri']), watcher)) === null
      }),
    )
    return uris.filter((_uri, index) => watched[index])
  }

  function onEvent(event: CatalogEvent): void {
    if (event.type !== 'listChanged' && event.type !== 'pathChanged') return
    for (const listen of open) {
      if (!concerns(event, listen.target)) continue
      for (const { kinds, method } of wishes)
        if (kinds.some((kind) => listen.kinds.has(kind) && event.kinds.includes(kind))) send(listen, method, {})
    }
  }

  function send({ response, id }: Listen, method: string, params: Params): void {
    const rest = JSON.stringify(params).slice(1)
    const comma = rest === '}' ? '' : ','
    writeEvent(response, `{"jsonrpc":"2.0","method":"${method}","params":{"_meta":{"${metaKeys.subscriptionId}":${id}}${comma}${rest}}`)
  }

  function end({ response, id, serverInfo }: Listen): void {
    const meta = `{"${metaKeys.subscriptionId}":${id},${serverMeta(serverInfo).slice(1)}`
    writeEvent(response, `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":${meta}}}`)
    response.end()
  }

  function stop(): void {
    unsubscribe()
    for (const listen of open) end(listen)
  }
}

function isDeclared(capabilities: Params, kind: 'tools' | 'prompts' | 'resources'): boolean {
  const capability = capabilities[kind]
  return isObject(capability) && capability['listChanged'] === true
}
