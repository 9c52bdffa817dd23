import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { BatchOutcome, Db } from '../db/db.ts'
import { changeOf, type Planned } from './plan.ts'
import { scopeOfKey } from './scope.ts'
import { envelopeOf, resourceOf } from './store.ts'
import { turn } from '../turns.ts'

export type CommitOptions = {
  dryRun?: boolean
  /** Audit verb when it is not create, update or delete. */
  verb?: string
  /** Where the object of a plan stands in the request, as a JSON pointer. */
  pointerOf?: (planned: Planned) => string
}
/** `versions` has one entry per plan that changed something, undefined for the others and for a dry run. */
export type Committed = { plan: Planned[]; versions: (number | undefined)[] }
export type Commit = (caller: Caller, scope: string, options: CommitOptions, makePlan: () => Promise<Planned[]>) => Promise<Committed>

/** Plans are made beside other writes; one that is older than the table when it is written is made again, this often. */
const attempts = 5

const verbs = { created: 'create', configured: 'update', deleted: 'delete', unchanged: 'keep' } as const

/** Turns a plan into rows, history, audit and events, all or nothing. A dry run is the same code up to the transaction. */
export function committer({ db, audit, changes, clock }: { db: Db; audit: Audit; changes: Changes; clock: Clock }): { commit: Commit } {
  return { commit }

  async function commit(
    caller: Caller,
    scope: string,
    { dryRun, verb, pointerOf }: CommitOptions,
    makePlan: () => Promise<Planned[]>,
  ): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      const plan = await makePlan()
      const effective = plan.filter(({ result }) => result !== 'unchanged')
      if (dryRun || effective.length === 0) return { plan, versions: plan.map(() => undefined) }
      const outcome = await write(caller, scope, effective, verb)
      if (outcome.outcome === 'committed') {
        const versions = new Map(effective.map((planned, index) => [planned, outcome.versions[index]]))
        return { plan, versions: plan.map((planned) => versions.get(planned)) }
      }
      if (outcome.outcome === 'refused') throw refused(outcome, effective, pointerOf)
      if (attempt === attempts)
        throw new McpgError(
          'unavailable',
          'too_much_contention',
          `${outcome.kind} ${outcome.name} is being changed by others all the time.`,
          {
            retryAfterSeconds: 1,
            hint: 'Try again.',
          },
        )
    }
  }

  async function write(caller: Caller, scope: string, effective: Planned[], verb: string | undefined): Promise<BatchOutcome> {
    const { org, workspace } = scopeOfKey(scope)
    const batch = []
    for (const planned of effective) {
      const { declaration, name, result, diffs } = planned
      const row = (planned.after ?? planned.before)!
      const action = `${declaration.kind.toLowerCase()}.${verb ?? verbs[result]}`
      // Names of fields, never their values.
      const detail = result === 'configured' ? { fields: diffs.slice(0, 50).map(({ path }) => path) } : undefined
      batch.push(changeOf(planned, audit.row(caller, action, { org, workspace, kind: declaration.kind, name, uid: row.uid, detail })))
      await turn()
    }
    const at = new Date(clock.now()).toISOString()
    return db.applyResources({ scope, at, changes: batch }, (versions) => publish(scope, effective, versions))
  }

  function publish(scope: string, effective: Planned[], versions: number[]): void {
    effective.forEach(({ declaration, name, result, before, after }, index) => {
      const version = versions[index]!
      const row = { ...(after ?? before)!, resourceVersion: version }
      const object = after ? envelopeOf(row, after.content) : resourceOf(declaration, row)
      const type = result === 'created' ? 'ADDED' : result === 'deleted' ? 'DELETED' : 'MODIFIED'
      changes.publish({ type, scope, kind: declaration.kind, name, version, object })
    })
  }
}

function refused(
  { reason, violations }: BatchOutcome & { outcome: 'refused' },
  effective: Planned[],
  pointerOf: (planned: Planned) => string = () => '',
): McpgError {
  if (reason === 'still_referenced')
    return new McpgError('conflict', 'still_referenced', `${violations.map(({ detail }) => detail).join('; ')}.`, {
      violations: violations.map(({ pointer, detail }) => ({ pointer, detail })),
      hint: 'Remove the references first, or delete both in one apply.',
    })
  const pointed = violations.map(({ index, pointer, detail }) => ({ pointer: `${pointerOf(effective[index]!)}${pointer}`, detail }))
  return new McpgError('invalid', 'reference_missing', `${pointed.map(({ detail }) => detail).join('; ')}.`, { violations: pointed })
}
