import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import type { Caller } from '../access/caller.ts'
import type { Placing } from './placements.ts'
import type { Rule } from './rules.ts'
import type { Scope, WorkspaceScope } from './scope.ts'
import type { Vault } from './vault.ts'
import type { VirtualKind, VirtualScope } from './virtual.ts'

/** `scope` is that of the object, so at the level of its kind. */
export type ActionCall<At extends Scope = WorkspaceScope> = { caller: Caller; scope: At; resource: Resource; body: unknown }
/** Does what the verb says; the engine answers with the object as it is afterwards, or with what the action declares as its answer. */
export type ActionHandler<At extends Scope = WorkspaceScope> = (call: ActionCall<At>) => Promise<object | void>
type Expansion = (caller: Caller, scope: Scope, objects: unknown[]) => Promise<unknown[]>

export type Extensions = ReturnType<typeof extensions>

/** What rooms bring to the engine: how their kinds behave beyond what is declared of them. */
export function extensions() {
  const rules = new Map<string, Rule>()
  const virtual = new Map<string, VirtualKind<Scope>>()
  const statuses = new Map<string, (resource: Resource) => object | Promise<object>>()
  const placements = new Map<string, Placing>()
  const actions = new Map<string, ActionHandler<Scope>>()
  const vaults = new Map<string, Vault>()
  const expansions: Expansion[] = []
  const originals = new Map<string, (scope: Scope, name: string) => ResourceInput | null>()
  return {
    rules,
    placements,
    vaults,
    roomOf,
    actionOf,
    originalOf,
    present,
    expand,
    brought: {
      /** The kinds that can be read here: stored ones and those whose room has come. */
      known: () => kinds.filter((one) => !one.virtual || virtual.has(one.kind)),
      virtualKind: (kind: string) => virtual.get(kind),
      hasAction: (kind: string, name: string) => actions.has(`${kind}/${name}`),
      hasOriginals: (kind: string) => originals.has(kind),
      /** A room brings its virtual kind. */
      addVirtual: <At extends Scope = VirtualScope>(kind: VirtualKind<At>) => void virtual.set(kind.declaration.kind, kind),
      /** A room tells the status of the objects of a stored kind. */
      addStatus: (kind: string, statusOf: (resource: Resource) => object | Promise<object>) => void statuses.set(kind, statusOf),
      /** A room tells which gateways would run objects of a stored kind; shown by plan and apply. */
      addPlacement: (kind: string, placing: Placing) => void placements.set(kind, placing),
      /** A room brings the behaviour of an action that the kind declares. */
      addAction: <At extends Scope = WorkspaceScope>(kind: string, name: string, handler: ActionHandler<At>) =>
        void actions.set(`${kind}/${name}`, handler as ActionHandler<Scope>),
      /** A room keeps the values of its kind that may not stand in a spec. */
      addVault: (kind: string, vault: Vault) => void vaults.set(kind, vault),
      /** A room tells what must hold for the objects of a kind beyond their schema. */
      addRules: (kind: string, rule: Rule) => void rules.set(kind, rule),
      /** A room tells what an object of a kind becomes again when it is deleted; null for one that goes. */
      addOriginal: (kind: string, originalOf: (scope: Scope, name: string) => ResourceInput | null) => void originals.set(kind, originalOf),
      /** A room puts what `apply` writes in place of what it takes: the objects that virtual ones are a part of. */
      addExpansion: (expand: Expansion) => void expansions.push(expand),
    },
  }

  function roomOf(declaration: KindDeclaration): VirtualKind<Scope> {
    const room = virtual.get(declaration.kind)
    if (!room) throw new Error(`nobody brought the virtual kind ${declaration.kind}`)
    return room
  }

  function actionOf(declaration: KindDeclaration, action: string): ActionHandler<Scope> {
    const handler = actions.get(`${declaration.kind}/${action}`)
    if (!handler) throw new Error(`nobody brought the action ${declaration.kind}/${action}`)
    return handler
  }

  /** What an object becomes again when it is deleted; null for one that goes. */
  function originalOf({ kind }: KindDeclaration, scope: Scope, name: string): ResourceInput | null {
    return originals.get(kind)?.(scope, name) ?? null
  }

  /** An object with its present status. */
  async function present(resource: Resource): Promise<Resource> {
    const statusOf = statuses.get(resource.kind)
    return statusOf ? { ...resource, status: (await statusOf(resource)) as Record<string, unknown> } : resource
  }

  async function expand(caller: Caller, scope: Scope, objects: unknown[]): Promise<unknown[]> {
    let expanded = objects
    for (const one of expansions) expanded = await one(caller, scope, expanded)
    return expanded
  }
}
