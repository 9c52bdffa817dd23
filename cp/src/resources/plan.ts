import { findKind } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import type { FieldDiff } from '@mcpg/proto/rest/apply'
import type { AuditRow, ResourceChange, SecretValueRow } from '../db/db.ts'
import { digestOf, sameJson, type Content } from './content.ts'
import { differences } from './differ.ts'
import { feedOf, scopeKey, scopeOfKey, scopeOfLevel } from './scope.ts'
import { envelopeOf, resourceOf, type StoredRow } from './store.ts'

/** What would happen to one object, and the row that makes it happen; `after` is null for a deletion and when nothing changes. */
export type Planned = {
  declaration: KindDeclaration
  scope: string
  name: string
  result: 'created' | 'configured' | 'unchanged' | 'deleted'
  diffs: FieldDiff[]
  before: StoredRow | null
  after: (StoredRow & { content: Content }) | null
  /** New values that the row does not hold. */
  values: SecretValueRow[]
}

const nothing = { metadata: { labels: {}, annotations: {} }, spec: {} }

export const contentOf = ({ metadata, spec }: Pick<ResourceInput, 'metadata' | 'spec'>): Content => ({
  labels: metadata.labels ?? {},
  annotations: metadata.annotations ?? {},
  spec,
})

type Write = {
  scope: string
  name: string
  /** Of the object; a new one if there is none. */
  uid: string
  before: StoredRow | null
  content: Content
  at: string
  /** What differs beside the content. */
  kept?: { diffs: FieldDiff[]; values: SecretValueRow[] }
}

/** The plan for an object that is to look like `content`. The same for create, replace, patch, apply and its dry run. */
export function planWrite(declaration: KindDeclaration, { scope, name, uid, before, content, at, kept }: Write): Planned {
  const old = before && resourceOf(declaration, before)
  const inContent = differences(old ? userPart(old) : nothing, userPart({ metadata: content, spec: content.spec }))
  const diffs = [...inContent, ...(kept?.diffs ?? [])]
  const values = kept?.values ?? []
  if (before && diffs.length === 0) return { declaration, scope, name, result: 'unchanged', diffs, before, after: null, values }
  const specChanged = !old || values.length > 0 || !sameJson(old.spec, content.spec)
  const after = {
    uid,
    scope,
    kind: declaration.kind,
    name,
    spec: JSON.stringify(content.spec),
    specVersion: declaration.specVersion,
    labels: JSON.stringify(content.labels),
    annotations: JSON.stringify(content.annotations),
    digest: digestOf(content),
    generation: (before?.generation ?? 0) + (specChanged ? 1 : 0),
    // The transaction numbers it; until then the plan shows the version it starts from.
    resourceVersion: before?.resourceVersion ?? 0,
    createdAt: before?.createdAt ?? at,
    updatedAt: at,
    content,
  }
  return { declaration, scope, name, result: before ? 'configured' : 'created', diffs, before, after, values }
}

export function planDelete(declaration: KindDeclaration, before: StoredRow): Planned {
  return { declaration, scope: before.scope, name: before.name, result: 'deleted', diffs: [], before, after: null, values: [] }
}

/** The change of a plan that does something, as the writer takes it. */
export function changeOf({ declaration, scope, result, before, after, values }: Planned, audit: AuditRow): ResourceChange {
  const stored = (after ?? before)!
  const { resourceVersion: _version, ...withContent } = stored
  const { content: _content, ...row } = { content: undefined, ...withContent }
  return {
    type: result === 'created' ? 'ADDED' : result === 'deleted' ? 'DELETED' : 'MODIFIED',
    feed: feedOf(scope),
    was: before?.resourceVersion ?? null,
    row,
    labels: after ? Object.entries(after.content.labels) : [],
    refs: after ? referencesOf(declaration, scope, after.content.spec) : [],
    parts: after ? (declaration.parts?.(after.content.spec) ?? []) : [],
    values,
    object: JSON.stringify(historyOf(after ? envelopeOf(after, after.content) : resourceOf(declaration, before!))),
    audit,
  }
}

/** What an object refers to, each with the scope it lives in. An object of a project refers to its project. */
function referencesOf(declaration: KindDeclaration, scope: string, spec: unknown): ResourceChange['refs'] {
  const place = scopeOfKey(scope)
  const own = declaration.references(spec).map(({ part = '', ...ref }) => {
    const level = findKind(ref.kind)!.scope
    return { ...ref, part, scope: scopeKey(scopeOfLevel(level, place)) }
  })
  if (place.project === undefined) return own
  const project = { kind: 'Project', name: place.project, part: '', pointer: '/metadata/project', scope: feedOf(scope) }
  return [...own, project]
}

/** The envelope as the watch history keeps it: its number is that of the change, so it is not repeated. */
function historyOf({ kind, metadata, spec }: Resource): unknown {
  const { resourceVersion: _, ...rest } = metadata
  return { kind, metadata: rest, spec }
}

const userPart = ({
  metadata: { labels, annotations },
  spec,
}: {
  metadata: Pick<Resource['metadata'], 'labels' | 'annotations'>
  spec: unknown
}) => ({
  metadata: { labels, annotations },
  spec,
})
