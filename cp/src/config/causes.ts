import type { Clock } from '@mcpg/core/clock'
import type { ConfigCause } from '@mcpg/proto/rest/gateways'
import type { ConfigStore } from './store.ts'

/** Actions that are named; an apply may be about thousands of objects. */
const maxActions = 5
/** A row of the audit trail is written with its change, which is heard of after it. */
const auditLagMs = 60_000

type Touched = { kind: string; name: string }
type Noted = {
  sinceMs: number
  objects: Map<string, Touched>
  /** Servers that a gateway refused, by its id. */
  refused: Map<string, Set<string>>
  /** Who resumed a gateway, by its id. */
  resumed: Map<string, string>
}

export type Causes = ReturnType<typeof causeBook>

/** What happened in a workspace since its configs were last compiled, so that a generation can say what led to it. */
export function causeBook({ store, clock }: { store: Pick<ConfigStore, 'lastAction'>; clock: Clock }) {
  const noted = new Map<string, Noted>()
  /** What the last compile was about: a change that was heard during it may be in the next document only. */
  const earlier = new Map<string, Noted['objects']>()
  return { touched, refused, resumed, take }

  function touched(scope: string, kind: string, name: string): void {
    notedIn(scope).objects.set(`${kind}/${name}`, { kind, name })
  }

  function refused(scope: string, gatewayId: string, server: string): void {
    const { refused: known } = notedIn(scope)
    known.set(gatewayId, (known.get(gatewayId) ?? new Set()).add(server))
  }

  function resumed(scope: string, gatewayId: string, by: string): void {
    notedIn(scope).resumed.set(gatewayId, by)
  }

  /** What was noted so far, for one compile; `giveBack` when that failed. */
  function take(scope: string): { of(gatewayId: string): Promise<ConfigCause>; giveBack(): void } {
    const taken = notedIn(scope)
    noted.delete(scope)
    if (taken.objects.size === 0) taken.objects = earlier.get(scope) ?? taken.objects
    earlier.set(scope, taken.objects)
    let change: Promise<ConfigCause> | undefined
    return {
      of: async (gatewayId) => {
        const by = taken.resumed.get(gatewayId)
        if (by !== undefined) return { why: 'resume', by, actions: [], more: 0 }
        const servers = taken.refused.get(gatewayId)
        if (servers) return refusalOf([...servers])
        return await (change ??= changeOf(scope, taken))
      },
      giveBack: () => {
        const now = noted.get(scope)
        noted.set(scope, taken)
        for (const [key, object] of now?.objects ?? []) taken.objects.set(key, object)
        for (const [id, servers] of now?.refused ?? []) taken.refused.set(id, new Set([...(taken.refused.get(id) ?? []), ...servers]))
        for (const [id, by] of now?.resumed ?? []) taken.resumed.set(id, by)
      },
    }
  }

  async function changeOf(scope: string, { objects, sinceMs }: Noted): Promise<ConfigCause> {
    const [org = '', workspace = ''] = scope.split('/')
    const since = new Date(sinceMs - auditLagMs).toISOString()
    const named = [...objects.values()].slice(0, maxActions)
    const actions: ConfigCause['actions'] = []
    for (const { kind, name } of named) {
      const row = await store.lastAction({ org, workspace, kind, name }, since)
      const object = `${kind.toLowerCase()}/${name}`
      actions.push({ action: row?.action ?? `${kind.toLowerCase()}.change`, object, ...(row && { by: row.actor, at: row.at }) })
    }
    return { why: named.length === 0 ? 'start' : 'change', actions, more: objects.size - named.length }
  }

  function notedIn(scope: string): Noted {
    let found = noted.get(scope)
    if (!found) noted.set(scope, (found = { sinceMs: clock.now(), objects: new Map(), refused: new Map(), resumed: new Map() }))
    return found
  }
}

function refusalOf(servers: string[]): ConfigCause {
  const named = servers.slice(0, maxActions).map((name) => ({ action: 'server.hold', object: `server/${name}` }))
  return { why: 'refusal', actions: named, more: servers.length - named.length }
}
