import { findKind, kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { tenancyKinds } from '../api/tenancy.ts'
import { nearest } from '@mcpg/core/nearest'
import { pathOf, type Manifest, type ManifestMetadata, type ManifestObject, type ManifestProblem, type Position } from './manifest.ts'
import { checkObject } from './check-object.ts'

/** Finds a path of the document in its text. */
export type Finder = (path: PropertyKey[]) => { position: Position; path: string }

export const apiVersion = 'mcpg.dev/v1alpha1'

/** Words of the grouped form that stand beside the spec's fields; `project` does where the kind lives in one. */
const metadataWords = ['name', 'labels', 'annotations', 'resourceVersion'] as const
/** What an answer of the control plane has and a manifest need not. */
const filledIn = ['uid', 'org', 'workspace', 'environment', 'project', 'generation', 'createdAt', 'updatedAt']

type Fields = Record<string, unknown>
type Found = Manifest & { find: Finder }

/** Turns one document, whatever its form, into objects. */
export function normalize(root: unknown, find: Finder): Manifest {
  const found: Found = { objects: [], problems: [], find }
  if (root === null || root === undefined) return found
  readRoot(root, [], found)
  return { objects: found.objects, problems: found.problems }
}

function readRoot(root: unknown, path: PropertyKey[], found: Found): void {
  if (Array.isArray(root)) return root.forEach((item, index) => readRoot(item, [...path, index], found))
  if (!isFields(root)) return complain(found, path, 'must be a map: servers: […], or kind: and name:')
  if ('kind' in root || 'apiVersion' in root) return readObject(root, path, found)
  if ('items' in root) return readList(root['items'], [...path, 'items'], found)
  for (const [plural, list] of Object.entries(root)) readGroup(plural, list, [...path, plural], found)
}

function readList(items: unknown, path: PropertyKey[], found: Found): void {
  if (!Array.isArray(items)) return complain(found, path, 'must be a list')
  readRoot(items, path, found)
}

/** `servers: [{name, …}]` */
function readGroup(plural: string, list: unknown, path: PropertyKey[], found: Found): void {
  const kind = kinds.find((one) => one.plural === plural)
  const level = kind ? undefined : tenancyKinds.find((one) => one.plural === plural)
  if (level) return complain(found, path, `are not applied; they are made by mcpg-ctl create ${level.kind.toLowerCase()} <name>`)
  if (!kind)
    return complain(
      found,
      path,
      `is no kind of object${guess(
        plural,
        kinds.map((one) => one.plural),
      )}`,
    )
  if (kind.virtual && !kind.appliedAs) return complain(found, path, reportedOnly(kind))
  if (!Array.isArray(list)) return complain(found, path, 'must be a list')
  list.forEach((item, index) => readFlat(kind, item, [...path, index], found))
}

/** `kind:` with the fields beside it, or with `metadata` and `spec`. */
function readObject(fields: Fields, path: PropertyKey[], found: Found): void {
  const { apiVersion: given, kind: word, ...rest } = fields
  if (given !== undefined && given !== apiVersion) complain(found, [...path, 'apiVersion'], `must be ${apiVersion}`)
  if (typeof word !== 'string') return complain(found, [...path, 'kind'], 'is missing')
  if (word.toLowerCase() === 'list') return readList(rest['items'], [...path, 'items'], found)
  const kind = findKind(word)
  if (!kind)
    return complain(
      found,
      [...path, 'kind'],
      `"${word}" is no kind of object${guess(
        word,
        kinds.map((one) => one.kind),
      )}`,
    )
  if (kind.virtual && !kind.appliedAs) return complain(found, [...path, 'kind'], reportedOnly(kind))
  if (given === undefined && !('spec' in rest) && !('metadata' in rest)) return readFlat(kind, rest, path, found)
  readEnvelope(kind, rest, path, found)
}

function readFlat(kind: KindDeclaration, item: unknown, path: PropertyKey[], found: Found): void {
  if (!isFields(item)) return complain(found, path, 'must be a map with a name')
  const metadata: Fields = {}
  const spec: Fields = {}
  for (const [key, value] of Object.entries(item)) (isMetadataWord(kind, key) ? metadata : spec)[key] = value
  add(kind, metadata, spec, { metadata: path, spec: path }, found)
}

function readEnvelope(
  kind: KindDeclaration,
  { metadata, spec, status: _status, ...others }: Fields,
  path: PropertyKey[],
  found: Found,
): void {
  for (const key of Object.keys(others)) complain(found, [...path, key], `is no field of an object${guess(key, ['metadata', 'spec'])}`)
  if (!isFields(metadata)) return complain(found, [...path, 'metadata'], 'must be a map with a name')
  if (!isFields(spec)) return complain(found, [...path, 'spec'], 'must be a map')
  const given = Object.fromEntries(Object.entries(metadata).filter(([key]) => !filledIn.includes(key) || isMetadataWord(kind, key)))
  add(kind, given, spec, { metadata: [...path, 'metadata'], spec: [...path, 'spec'] }, found)
}

function add(
  kind: KindDeclaration,
  metadata: Fields,
  spec: Fields,
  base: { metadata: PropertyKey[]; spec: PropertyKey[] },
  found: Found,
): void {
  const placeOf = (pointer: string) => {
    const [room, ...rest] = pathOf(pointer)
    return found.find([...(room === 'spec' ? base.spec : base.metadata), ...rest])
  }
  const problems = checkObject(kind, metadata, spec)
  for (const { pointer, detail } of problems) {
    const { position, path } = placeOf(pointer)
    found.problems.push({ position, path, detail })
  }
  const object: ManifestObject = {
    kind: kind.kind,
    metadata: metadata as ManifestMetadata,
    spec,
    locate: (pointer) => placeOf(pointer).position,
  }
  if (problems.length === 0) found.objects.push(object)
}

function complain({ problems, find }: Found, path: PropertyKey[], detail: string): void {
  const problem: ManifestProblem = { ...find(path), detail }
  problems.push(problem)
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isMetadataWord = ({ scope }: KindDeclaration, key: string) =>
  (metadataWords as readonly string[]).includes(key) || (scope === 'project' && key === 'project')
const reportedOnly = ({ kind }: KindDeclaration) => `${kind} objects are reported, not applied`

function guess(word: string, candidates: string[]): string {
  const best = nearest(word, candidates)
  return best ? `; did you mean ${best}?` : ''
}
