import { z } from 'zod'
import type { Access } from '../access.ts'
import { Annotations, Labels, Name, reservedNames } from '../names.ts'

/** Where objects of a kind live: in an organization, a workspace of it or a project of that; environments are paths of virtual kinds. */
export type KindScope = 'org' | 'workspace' | 'project'

/**
 * A reference from a spec to another object, or to a part of it (a key of a Secret): of the same scope, or of the workspace or
 * organization around it where the other kind lives there.
 */
export type Reference = { kind: string; name: string; part?: string; pointer: string }

/** One column of a list; `value` is read from the whole resource. Wide columns stand in `-o wide` only. */
export type Column = { name: string; wide?: boolean; value: (resource: Resource) => string }

/** A verb of one kind beyond the engine's, a POST sub-resource with an access of its own. */
export type Action = {
  access: Access
  description: string
  body?: z.ZodType
  /** What it answers where that is not the object. It is never kept for an `Idempotency-Key`: it may hold a secret, and asking twice changes nothing more. */
  answer?: z.ZodType
}

/**
 * The one declaration of a kind. REST, OpenAPI, every CLI verb, `explain`, watch, audit and the generated tests come from it.
 * `virtual` kinds have no rows: their room implements list, get and watch.
 */
export type KindDeclaration = {
  kind: string
  plural: string
  aliases: string[]
  scope: KindScope
  virtual: boolean
  /** The kind of the objects that change when a virtual object is applied; without it, it cannot be applied. */
  appliedAs?: string
  /** What its names look like where they are no DNS labels. */
  name?: z.ZodType<string>
  description: string
  specVersion: number
  spec: z.ZodType
  /** The spec as it may stand in a manifest, where the command line fills something in before it is sent. */
  manifest?: z.ZodType
  status: z.ZodType
  /** Fields of which exactly one must be given, empty if the kind has no variants. */
  oneOf: string[]
  /** JSON pointers, from the spec, of maps whose values are kept elsewhere: what is stored and answered has `{keep: true}` in their place. */
  sensitive: string[]
  references: (spec: unknown) => Reference[]
  /** Parts that references may name. */
  parts?: (spec: unknown) => string[]
  columns: Column[]
  /** How a person wants a list of it sorted; by name where it says nothing. */
  order?: 'updatedAt'
  actions: Record<string, Action>
  /** Brings a stored spec of an older `specVersion` up to date. */
  upgrade: (spec: unknown, fromVersion: number) => unknown
}

/** Timestamps are RFC 3339 in UTC. `resourceVersion` is opaque; it covers metadata and spec, never status. */
export const Metadata = z.object({
  name: z.string(),
  uid: z.string(),
  org: z.string().optional(),
  workspace: z.string().optional(),
  environment: z.string().optional(),
  project: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  generation: z.number().int(),
  resourceVersion: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type Metadata = z.infer<typeof Metadata>

/** Kubernetes' shape and types, so that `kubectl wait` habits carry over. */
export const Condition = z.object({
  type: z.enum(['Ready', 'Progressing', 'Available', 'Degraded', 'HeldBack', 'Pinned', 'Unplaced']),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
})
export type Condition = z.infer<typeof Condition>

/** The envelope of every object in every answer. */
export const Resource = z.object({
  kind: z.string(),
  metadata: Metadata,
  spec: z.record(z.string(), z.unknown()),
  status: z.record(z.string(), z.unknown()),
})
export type Resource = z.infer<typeof Resource>

/**
 * What a caller sends: the envelope without what the control plane fills in. `resourceVersion` makes a write conditional; `project`
 * stands at objects that live in one. What a name may look like is told by its kind (`nameProblems`).
 */
export const ResourceInput = z.strictObject({
  kind: z.string().optional(),
  apiVersion: z.string().optional(),
  metadata: z.strictObject({
    name: z.string(),
    project: z.string().optional(),
    labels: Labels.optional(),
    annotations: Annotations.optional(),
    resourceVersion: z.string().optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
})
export type ResourceInput = z.infer<typeof ResourceInput>

/** What is wrong with a name for an object of a kind; empty when it fits. */
export function nameProblems(kind: Pick<KindDeclaration, 'name'>, name: string): string[] {
  if (reservedNames.has(name)) return [`"${name}" is a word of the API's paths and cannot be a name`]
  const parsed = (kind.name ?? Name).safeParse(name)
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message)
}

/** What is wrong with the project that an object names, seen from its kind; null when it fits. */
export function projectProblem({ kind, scope }: Pick<KindDeclaration, 'kind' | 'scope'>, project: unknown): string | null {
  if (scope === 'project') return project === undefined ? `is missing: a ${kind} lives in a project` : null
  return project === undefined
    ? null
    : `is not a field of a ${kind}, which lives in ${scope === 'org' ? 'the organization' : 'the workspace'}`
}
