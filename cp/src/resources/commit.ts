import type { Clock } from '@mcpg/core/clock'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { BatchOutcome, Db } from '../db/db.ts'
import { invalid } from '../http/problems.ts'
import { changeOf, type Planned } from './plan.ts'
import { plannedChange, rulesFor, type Rule, type Rules } from './rules.ts'
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
export type Commit = (caller: Caller, options: CommitOptions, makePlan: () => Promise<Planned[]>) => Promise<Committed>

/** Plans are made beside other writes; one that is older than the table when it is written is made again, this often. */
const attempts = 5

const verbs = { created: 'create', configured: 'update', deleted: 'delete', unchanged: 'keep' } as const

/** Turns a plan into rows, history, audit and events, all or nothing. A dry run is the same code up to the transaction. */
export function committer({ db, audit, changes, clock, rules }: { db: Db; audit: Audit; changes: Changes; clock: Clock; rules: Rules }): {
  commit: Commit
} {
  /** Writes that have to keep a rule follow each other, so that no two of them break it together. */
  let ruled: Promise<unknown> = Promise.resolve()
  return { commit }

  async function commit(caller: Caller, options: CommitOptions, makePlan: () => Promise<Planned[]>): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      const plan = await makePlan()
      const effective = plan.filter(({ result }) => result !== 'unchanged')
      const unwritten = { plan, versions: plan.map(() => undefined) }
      if (effective.length === 0) return unwritten
      const keeping = rulesFor(rules, effective)
      const step = () => checkAndWrite(caller, effective, keeping, options)
      const outcome = await (keeping.size > 0 ? inTurn(step) : step())
      if (outcome === null) return unwritten
      if (outcome.outcome === 'committed') {
        const versions = new Map(effective.map((planned, index) => [planned, outcome.versions[index]]))
        return { plan, versions: plan.map((planned) => versions.get(planned)) }
      }
      if (outcome.outcome === 'refused') throw refused(outcome, effective, options.pointerOf)
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

  /** Null for a dry run. */
  async function checkAndWrite(
    caller: Caller,
    effective: Planned[],
    keeping: Set<Rule>,
    { dryRun, verb, pointerOf }: CommitOptions,
  ): Promise<BatchOutcome | null> {
    if (keeping.size > 0) await refuseBroken(caller, effective, keeping, pointerOf)
    return dryRun ? null : write(caller, effective, verb)
  }

  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const mine = ruled.then(step, step)
    ruled = mine.catch(() => {})
    return mine
  }

  async function write(caller: Caller, effective: Planned[], verb: string | undefined): Promise<BatchOutcome> {
    const batch = []
    for (const planned of effective) {
      const { declaration, name, result, diffs } = planned
      const { org, workspace, project } = scopeOfKey(planned.scope)
      const row = (planned.after ?? planned.before)!
      const action = `${declaration.kind.toLowerCase()}.${verb ?? verbs[result]}`
      // Names of fields, never their values.
      const fields = result === 'configured' ? diffs.slice(0, 50).map(({ path }) => path) : undefined
      const detail = fields || project ? { ...(project && { project }), ...(fields && { fields }) } : undefined
      const digests = { before: planned.before?.digest, after: planned.after?.digest }
      const target = { org, workspace, kind: declaration.kind, name, uid: row.uid, detail, ...digests }
      batch.push(changeOf(planned, audit.row(caller, action, target)))
      await turn()
    }
    const at = new Date(clock.now()).toISOString()
    return db.applyResources({ at, changes: batch }, (versions) => publish(effective, versions))
  }

  function publish(effective: Planned[], versions: number[]): void {
    effective.forEach(({ declaration, scope, name, result, before, after }, index) => {
      const version = versions[index]!
      const row = { ...(after ?? before)!, resourceVersion: version }
      const object = after ? envelopeOf(row, after.content) : resourceOf(declaration, row)
      const type = result === 'created' ? 'ADDED' : result === 'deleted' ? 'DELETED' : 'MODIFIED'
      changes.publish({ type, scope, kind: declaration.kind, name, version, object })
    })
  }
}

async function refuseBroken(
  caller: Caller,
  effective: Planned[],
  keeping: Set<Rule>,
  pointerOf: (planned: Planned) => string = () => '',
): Promise<void> {
  const plans = new Map(effective.map((planned) => [plannedChange(planned), planned]))
  const violations: Violation[] = []
  for (const rule of keeping)
    for (const { change, pointer, detail } of await rule({ caller, changes: [...plans.keys()] }))
      violations.push({ pointer: `${pointerOf(plans.get(change)!)}${pointer}`, detail })
  if (violations.length > 0) throw invalid(violations)
}

function refused(
  { reason, violations }: BatchOutcome & { outcome: 'refused' },
  effective: Planned[],
  pointerOf: (planned: Planned) => string = () => '',
): McpgError {
  if (reason === 'still_referenced') {
    const isProject = violations.some(({ pointer }) => pointer === '/metadata/project')
    return new McpgError('conflict', 'still_referenced', `${violations.map(({ detail }) => detail).join('; ')}.`, {
      violations: violations.map(({ pointer, detail }) => ({ pointer, detail })),
      hint: isProject
        ? 'Delete the project with --cascade (?cascade=true), and what is in it goes with it.'
        : 'Remove the references first, or delete both in one apply.',
    })
  }
  const pointed = violations.map(({ index, pointer, detail }) => ({ pointer: `${pointerOf(effective[index]!)}${pointer}`, detail }))
  return new McpgError('invalid', 'reference_missing', `${pointed.map(({ detail }) => detail).join('; ')}.`, { violations: pointed })
}
