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
import { scopeKey, scopeOfKey, scopeOfLevel, type Scope } from './scope.ts'
import { readSelector } from './selector.ts'
import type { Digest, ResourceStore, StoredRow } from './store.ts'
import { turn } from '../turns.ts'
import { violationsOf } from './validate.ts'
import { planObject, type Vaults } from './vault.ts'

const maxObjects = 5_000

type Parts = {
  store: ResourceStore
  commit: Commit
  vaults: Vaults
  placements: Placements
  /** What an object becomes again where it would be deleted. */
  originalOf: (declaration: KindDeclaration, scope: Scope, name: string) => ResourceInput | null
  now: () => string
}
/** `digest` is of what would be stored; `hasValues`: something in it is kept elsewhere, so equal digests do not say that nothing differs. */
type Wanted = {
  declaration: KindDeclaration
  scope: string
  name: string
  content: Content
  digest: string
  hasValues: boolean
  expected: string | undefined
}
/** A plan, or an object whose manifest names a version that is no longer the current one. */
type Step =
  | Planned
  | { declaration: KindDeclaration; scope: string; name: string; result: 'conflict'; expected: string; version: number | null }

/**
 * Whole objects, all or nothing. Everything is validated before anything is read, digests are read before specs, and only what
 * differs is written. Long stretches let the event loop turn.
 */
export async function applyObjects(
  { store, commit, vaults, placements, originalOf, now }: Parts,
  caller: Caller,
  scope: Scope,
  request: ApplyRequest,
  dryRun: boolean,
): Promise<ApplyResponse> {
  const { objects, prune } = partsOf(request)
  const terms = prune === undefined ? null : readSelector(prune, '/prune')
  if (terms?.length === 0) throw invalid([{ pointer: '/prune', detail: 'needs a selector; an empty one would delete everything' }])
  const wanted = await readObjects(objects, scope, vaults)
  let conflicts: (Step & { result: 'conflict' })[] = []

  const { plan, versions } = await commit(caller, { dryRun, pointerOf: (planned) => `/objects/${indexOf(wanted, planned)}` }, async () => {
    const steps = await planSteps({ store, vaults }, wanted, now())
    conflicts = steps.filter((step) => step.result === 'conflict')
    const writes = steps.filter((step): step is Planned => step.result !== 'conflict')
    const removals = terms === null ? [] : await planPrune({ store, vaults, originalOf, now }, wanted, (labels) => selects(terms, labels))
    refuseForbidden(caller, [...steps, ...removals])
    if (conflicts.length > 0 && !dryRun) throw conflicting(conflicts, wanted)
    return [...writes, ...removals]
  })

  const results: ApplyResult[] = plan.map(({ declaration, scope: key, name, result, diffs, before }, index) => {
    const version = versions[index] ?? (result === 'deleted' ? undefined : before?.resourceVersion)
    const named = namedIn(declaration, key, name)
    return { ...named, result, diffs, ...(version === undefined ? {} : { resourceVersion: String(version) }) }
  })
  const { org, workspace } = scope
  const pinned = workspace === undefined ? [] : await addPlacements(placements, { org, workspace }, plan, results)
  return {
    dryRun,
    results: [
      ...results,
      ...conflicts.map(({ declaration, scope: key, name }) => ({
        ...namedIn(declaration, key, name),
        result: 'conflict' as const,
        diffs: [],
      })),
    ],
    ...(pinned.length > 0 && { pinned }),
  }
}

function namedIn({ kind }: KindDeclaration, scope: string, name: string): Pick<ApplyResult, 'kind' | 'project' | 'name'> {
  const { project } = scopeOfKey(scope)
  return { kind, ...(project && { project }), name }
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
async function readObjects(objects: unknown[], scope: Scope, vaults: Vaults): Promise<Wanted[]> {
  const violations: Violation[] = []
  const wanted: Wanted[] = []
  const seen = new Map<string, number>()
  for (const [index, object] of objects.entries()) {
    const at = `/objects/${index}`
    const declaration = declarationOf(object, at, scope, violations)
    if (declaration) {
      const found = violationsOf(declaration, object, at)
      violations.push(...found)
      if (found.length === 0) {
        const input = object as ResourceInput
        const key = scopeKey(scopeOfLevel(declaration.scope, { ...scope, project: input.metadata.project }))
        const id = idOf(key, declaration, input.metadata.name)
        const first = seen.get(id)
        if (first !== undefined) {
          const detail = `${declaration.kind}/${input.metadata.name} stands in the request already, at /objects/${first}`
          violations.push({ pointer: `${at}/metadata/name`, detail })
        }
        seen.set(id, first ?? index)
        const content = contentOf(input)
        const stripped = vaults.get(declaration.kind)?.strip(content) ?? { content, hasValues: false }
        wanted.push({
          declaration,
          scope: key,
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

function declarationOf(object: unknown, at: string, { org, workspace }: Scope, violations: Violation[]): KindDeclaration | null {
  const word = isRecord(object) ? object.kind : undefined
  const declaration = typeof word === 'string' ? findKind(word) : undefined
  const isHere = (kind: KindDeclaration) => !kind.virtual && (workspace !== undefined || kind.scope === 'org')
  if (declaration && isHere(declaration)) return declaration
  const known = kinds.filter(isHere).map(({ kind }) => kind)
  const detail = declaration
    ? declaration.virtual
      ? `${declaration.kind} is made by the fleet and cannot be applied`
      : `${declaration.kind} lives in a workspace: send it to /v1/orgs/${org}/workspaces/<workspace>/apply`
    : typeof word === 'string'
      ? `"${word}" is not a kind; there is ${known.join(', ')}`
      : 'is missing'
  violations.push({ pointer: isRecord(object) ? `${at}/kind` : at, detail: isRecord(object) ? detail : 'must be an object' })
  return null
}

async function planSteps({ store, vaults }: Pick<Parts, 'store' | 'vaults'>, wanted: Wanted[], at: string): Promise<Step[]> {
  const digests = new Map<string, Digest>()
  const rows = new Map<string, StoredRow>()
  for (const { declaration, scope, objects } of groups(wanted)) {
    const names = objects.map(({ name }) => name)
    for (const digest of await store.digests(scope, declaration.kind, names)) digests.set(idOf(scope, declaration, digest.name), digest)
    const changed = objects.filter(({ name, digest, hasValues }) => {
      const known = digests.get(idOf(scope, declaration, name))
      return known && (hasValues || known.digest !== digest)
    })
    const changedNames = changed.map(({ name }) => name)
    for (const row of await store.findMany(scope, declaration.kind, changedNames)) rows.set(idOf(scope, declaration, row.name), row)
  }
  const steps: Step[] = []
  const violations: Violation[] = []
  for (const [index, { declaration, scope, name, content, digest, hasValues, expected }] of wanted.entries()) {
    const id = idOf(scope, declaration, name)
    const current = digests.get(id)
    if (expected !== undefined && expected !== String(current?.resourceVersion ?? ''))
      steps.push({ declaration, scope, name, result: 'conflict', expected, version: current?.resourceVersion ?? null })
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
  const { scope, name } = current
  return { declaration, scope, name, result: 'unchanged', diffs: [], before: current as StoredRow, after: null, values: [] }
}

const idOf = (scope: string, { kind }: KindDeclaration, name: string): string => `${scope}\0${kind}/${name}`

/** What a request has of each kind in each scope. */
function groups(wanted: Wanted[]): { declaration: KindDeclaration; scope: string; objects: Wanted[] }[] {
  return [...Map.groupBy(wanted, ({ declaration, scope }) => idOf(scope, declaration, '')).values()].map((objects) => ({
    declaration: objects[0]!.declaration,
    scope: objects[0]!.scope,
    objects,
  }))
}

/**
 * Objects of the kinds in the request that the selector matches and the request does not name; never those of the organization. What has
 * an original becomes that.
 */
async function planPrune(
  { store, vaults, originalOf, now }: Pick<Parts, 'store' | 'vaults' | 'originalOf' | 'now'>,
  wanted: Wanted[],
  matches: (labels: Record<string, string>) => boolean,
): Promise<Planned[]> {
  const removals: Planned[] = []
  for (const { declaration, scope, objects } of groups(wanted)) {
    if (declaration.scope === 'org') continue
    const kept = new Set(objects.map(({ name }) => name))
    const candidates = await store.labelled(scope, declaration.kind)
    const names = candidates
      .filter(({ name, labels }) => !kept.has(name) && matches(JSON.parse(labels) as Record<string, string>))
      .map(({ name }) => name)
    for (const row of await store.findMany(scope, declaration.kind, names)) {
      const { name } = row
      const original = originalOf(declaration, scopeOfKey(scope), name)
      const reset =
        original && (await planObject(vaults, declaration, { scope, name, before: row, content: contentOf(original), at: now() }))
      if (reset?.planned.result !== 'unchanged') removals.push(reset?.planned ?? planDelete(declaration, row))
    }
  }
  return removals
}

/** Which right each result needs; one that is missing refuses the whole request. */
function refuseForbidden(caller: Caller, plan: Step[]): void {
  const verbs = { created: 'create', configured: 'edit', deleted: 'delete', unchanged: 'view', conflict: 'view' } as const
  const missing = plan.filter(({ declaration, scope, name, result }) => {
    const access: Access = { verb: verbs[result], on: declaration.plural }
    return !caller.can(access, scopeOfKey(scope), name)
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
  const violations = conflicts.map(({ declaration, scope, name, expected, version }) => ({
    pointer: `/objects/${indexOf(wanted, { declaration, scope, name })}/metadata/resourceVersion`,
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

const indexOf = (wanted: Wanted[], { declaration, scope, name }: Pick<Planned, 'declaration' | 'scope' | 'name'>): number =>
  wanted.findIndex((one) => one.declaration === declaration && one.scope === scope && one.name === name)
