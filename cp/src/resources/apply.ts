import type { Access } from '@mcpg/proto/access'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { findKind, kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { ApplyRequest, ApplyResponse, ApplyResult } from '@mcpg/proto/rest/apply'
import type { ResourceInput } from '@mcpg/proto/kinds/kind'
import { selects } from '@mcpg/proto/selectors'
import type { Caller } from '../access/caller.ts'
import { invalid } from '../http/problems.ts'
import type { Commit } from './commit.ts'
import { digestOf, type Content } from './content.ts'
import { isRecord } from './differ.ts'
import { addPlacements, type Placements } from './placements.ts'
import { contentOf, planDelete, type Planned } from './plan.ts'
import { scopeKey, type WorkspaceScope } from './scope.ts'
import { readSelector } from './selector.ts'
import type { Digest, ResourceStore, StoredRow } from './store.ts'
import { turn } from '../turns.ts'
import { violationsOf } from './validate.ts'
import { planObject, type Vaults } from './vault.ts'

const maxObjects = 5_000

type Parts = { store: ResourceStore; commit: Commit; vaults: Vaults; placements: Placements; now: () => string }
/** `digest` is of what would be stored; `hasValues`: something in it is kept elsewhere, so equal digests do not say that nothing differs. */
type Wanted = {
  declaration: KindDeclaration
  name: string
  content: Content
  digest: string
  hasValues: boolean
  expected: string | undefined
}
/** A plan, or an object whose manifest names a version that is no longer the current one. */
type Step = Planned | { declaration: KindDeclaration; name: string; result: 'conflict'; expected: string; version: number | null }

/**
 * Whole objects, all or nothing. Everything is validated before anything is read, digests are read before specs, and only what
 * differs is written. Long stretches let the event loop turn.
 */
export async function applyObjects(
  { store, commit, vaults, placements, now }: Parts,
  caller: Caller,
  scope: WorkspaceScope,
  request: ApplyRequest,
  dryRun: boolean,
): Promise<ApplyResponse> {
  const { objects, prune } = partsOf(request)
  const terms = prune === undefined ? null : readSelector(prune, '/prune')
  if (terms?.length === 0) throw invalid([{ pointer: '/prune', detail: 'needs a selector; an empty one would delete everything' }])
  const wanted = await readObjects(objects, vaults)
  const key = scopeKey(scope)
  let conflicts: (Step & { result: 'conflict' })[] = []

  const { plan, versions } = await commit(
    caller,
    key,
    { dryRun, pointerOf: (planned) => `/objects/${indexOf(wanted, planned)}` },
    async () => {
      const steps = await planSteps({ store, vaults }, key, wanted, now())
      conflicts = steps.filter((step) => step.result === 'conflict')
      if (conflicts.length > 0 && !dryRun) throw conflicting(conflicts, wanted)
      const writes = steps.filter((step): step is Planned => step.result !== 'conflict')
      const removals = terms === null ? [] : await planPrune(store, key, wanted, (labels) => selects(terms, labels))
      refuseForbidden(caller, [...writes, ...removals])
      return [...writes, ...removals]
    },
  )

  const results: ApplyResult[] = plan.map(({ declaration, name, result, diffs, before }, index) => {
    const version = versions[index] ?? (result === 'deleted' ? undefined : before?.resourceVersion)
    return { kind: declaration.kind, name, result, diffs, ...(version === undefined ? {} : { resourceVersion: String(version) }) }
  })
  const pinned = await addPlacements(placements, scope, plan, results)
  return {
    dryRun,
    results: [
      ...results,
      ...conflicts.map(({ declaration, name }) => ({ kind: declaration.kind, name, result: 'conflict' as const, diffs: [] })),
    ],
    ...(pinned.length > 0 && { pinned }),
  }
}

function partsOf(request: unknown): { objects: unknown[]; prune: string | undefined } {
  const violations: Violation[] = []
  const { objects, prune, ...others } = isRecord(request) ? request : {}
  if (!isRecord(request)) violations.push({ pointer: '', detail: 'must be an object with the list "objects"' })
  else if (!Array.isArray(objects)) violations.push({ pointer: '/objects', detail: 'must be a list' })
  else if (objects.length > maxObjects)
    throw new McpgError('too_large', 'too_many_objects', `The request has ${objects.length} objects, at most ${maxObjects} are allowed.`, {
      hint: 'Apply it in parts.',
    })
  if (prune !== undefined && (typeof prune !== 'string' || prune.length > 4096))
    violations.push({ pointer: '/prune', detail: 'must be a label selector' })
  for (const field of Object.keys(others)) violations.push({ pointer: `/${field}`, detail: 'is not a field of this request' })
  if (violations.length > 0) throw invalid(violations)
  return { objects: objects as unknown[], prune: prune as string | undefined }
}

/** All violations of all objects at once; nothing has been read or written before. */
async function readObjects(objects: unknown[], vaults: Vaults): Promise<Wanted[]> {
  const violations: Violation[] = []
  const wanted: Wanted[] = []
  const seen = new Map<string, number>()
  for (const [index, object] of objects.entries()) {
    const at = `/objects/${index}`
    const declaration = declarationOf(object, at, violations)
    if (declaration) {
      const found = violationsOf(declaration, object, at)
      violations.push(...found)
      if (found.length === 0) {
        const input = object as ResourceInput
        const id = `${declaration.kind}/${input.metadata.name}`
        const first = seen.get(id)
        if (first !== undefined)
          violations.push({ pointer: `${at}/metadata/name`, detail: `${id} stands in the request already, at /objects/${first}` })
        seen.set(id, first ?? index)
        const content = contentOf(input)
        const stripped = vaults.get(declaration.kind)?.strip(content) ?? { content, hasValues: false }
        wanted.push({
          declaration,
          name: input.metadata.name,
          content,
          digest: digestOf(stripped.content),
          hasValues: stripped.hasValues,
          expected: input.metadata.resourceVersion,
        })
      }
    }
    await turn()
  }
  if (violations.length > 0) throw invalid(violations)
  return wanted
}

function declarationOf(object: unknown, at: string, violations: Violation[]): KindDeclaration | null {
  const word = isRecord(object) ? object.kind : undefined
  const declaration = typeof word === 'string' ? findKind(word) : undefined
  if (declaration && !declaration.virtual) return declaration
  const known = kinds.filter((kind) => !kind.virtual).map(({ kind }) => kind)
  const detail = declaration
    ? `${declaration.kind} is made by the fleet and cannot be applied`
    : typeof word === 'string'
      ? `"${word}" is not a kind; there is ${known.join(', ')}`
      : 'is missing'
  violations.push({ pointer: isRecord(object) ? `${at}/kind` : at, detail: isRecord(object) ? detail : 'must be an object' })
  return null
}

async function planSteps({ store, vaults }: Pick<Parts, 'store' | 'vaults'>, scope: string, wanted: Wanted[], at: string): Promise<Step[]> {
  const digests = new Map<string, Digest>()
  const rows = new Map<string, StoredRow>()
  for (const [kind, ofKind] of Map.groupBy(wanted, ({ declaration }) => declaration.kind)) {
    const names = ofKind.map(({ name }) => name)
    for (const digest of await store.digests(scope, kind, names)) digests.set(`${kind}/${digest.name}`, digest)
    const changed = ofKind.filter(({ name, digest, hasValues }) => {
      const known = digests.get(`${kind}/${name}`)
      return known && (hasValues || known.digest !== digest)
    })
    const changedNames = changed.map(({ name }) => name)
    for (const row of await store.findMany(scope, kind, changedNames)) rows.set(`${kind}/${row.name}`, row)
  }
  const steps: Step[] = []
  const violations: Violation[] = []
  for (const [index, { declaration, name, content, digest, hasValues, expected }] of wanted.entries()) {
    const id = `${declaration.kind}/${name}`
    const current = digests.get(id)
    if (expected !== undefined && expected !== String(current?.resourceVersion ?? ''))
      steps.push({ declaration, name, result: 'conflict', expected, version: current?.resourceVersion ?? null })
    else if (current?.digest === digest && !hasValues) steps.push(unchanged(declaration, current))
    else {
      const { planned, violations: found } = await planObject(vaults, declaration, {
        scope,
        name,
        before: rows.get(id) ?? null,
        content,
        at,
      })
      steps.push(planned)
      violations.push(...found.map(({ pointer, detail }) => ({ pointer: `/objects/${index}${pointer}`, detail })))
    }
    await turn()
  }
  if (violations.length > 0) throw invalid(violations)
  return steps
}

function unchanged(declaration: KindDeclaration, current: Digest): Planned {
  return { declaration, name: current.name, result: 'unchanged', diffs: [], before: current as StoredRow, after: null, values: [] }
}

/** Objects of the kinds in the request that the selector matches and the request does not name. */
async function planPrune(
  store: ResourceStore,
  scope: string,
  wanted: Wanted[],
  matches: (labels: Record<string, string>) => boolean,
): Promise<Planned[]> {
  const removals: Planned[] = []
  for (const [declaration, ofKind] of Map.groupBy(wanted, ({ declaration }) => declaration)) {
    const kept = new Set(ofKind.map(({ name }) => name))
    const candidates = await store.labelled(scope, declaration.kind)
    const names = candidates
      .filter(({ name, labels }) => !kept.has(name) && matches(JSON.parse(labels) as Record<string, string>))
      .map(({ name }) => name)
    for (const row of await store.findMany(scope, declaration.kind, names)) removals.push(planDelete(declaration, row))
  }
  return removals
}

/** Which right each result needs; one that is missing refuses the whole request. */
function refuseForbidden(caller: Caller, plan: Planned[]): void {
  const verbs = { created: 'create', configured: 'edit', deleted: 'delete', unchanged: 'view' } as const
  const missing = plan.filter(({ declaration, result }) => {
    const access: Access = { verb: verbs[result], on: declaration.plural }
    return !caller.can(access)
  })
  if (missing.length === 0) return
  const [first] = missing
  throw new McpgError(
    'forbidden',
    'not_allowed',
    `${caller.subject} may not ${verbs[first!.result]} ${first!.declaration.plural} (${missing.length} objects of the request need it).`,
  )
}

function conflicting(conflicts: (Step & { result: 'conflict' })[], wanted: Wanted[]): McpgError {
  const violations = conflicts.map(({ declaration, name, expected, version }) => ({
    pointer: `/objects/${indexOf(wanted, { declaration, name })}/metadata/resourceVersion`,
    detail:
      version === null
        ? `is ${expected}, but ${declaration.kind} ${name} does not exist`
        : `is ${expected}, but ${declaration.kind} ${name} is at ${version}`,
  }))
  return new McpgError(
    'conflict',
    'version_stale',
    `${conflicts.length} of ${wanted.length} objects were changed since the manifest was read; nothing was written.`,
    {
      violations,
      hint: 'Read them again, or leave metadata.resourceVersion out to overwrite.',
    },
  )
}

const indexOf = (wanted: Wanted[], { declaration, name }: Pick<Planned, 'declaration' | 'name'>): number =>
  wanted.findIndex((one) => one.declaration === declaration && one.name === name)
