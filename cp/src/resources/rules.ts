import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Caller } from '../access/caller.ts'
import type { Planned } from './plan.ts'
import { scopeOfKey, type Scope } from './scope.ts'
import { envelopeOf, resourceOf } from './store.ts'

/** What a write is about to do to one object: `before` is null for a new one, `after` for one that goes. */
export type PlannedChange = { scope: Scope; before: Resource | null; after: Resource | null }

/** What is wrong with a change, by a JSON pointer into its object. */
export type Broken = { change: PlannedChange; pointer: string; detail: string }

/**
 * What must hold beyond the schema of a kind. It sees all changes of a write that touches its kind, also those of other kinds, before
 * anything is written, and for dry runs too. Nothing that a rule looks at changes between its answer and the write. It answers every
 * violation at once; a refusal that is no fault of the object (a missing right) it throws.
 */
export type Rule = (write: { caller: Caller; changes: readonly PlannedChange[] }) => Promise<Broken[]>

export type Rules = ReadonlyMap<string, Rule>

/** The rules that a plan has to keep. */
export function rulesFor(rules: Rules, plan: readonly Planned[]): Set<Rule> {
  return new Set(plan.flatMap(({ declaration: { kind } }) => rules.get(kind) ?? []))
}

export function plannedChange({ declaration, scope, before, after }: Planned): PlannedChange {
  return {
    scope: scopeOfKey(scope),
    before: before && resourceOf(declaration, before),
    after: after && envelopeOf(after, after.content),
  }
}
