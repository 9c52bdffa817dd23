import { nameProblems, projectProblem, ResourceInput, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { Violation } from '@mcpg/proto/errors'
import type { z } from 'zod'
import { nearest } from '@mcpg/core/nearest'
import { pointerOf } from './manifest.ts'

const { metadata: Metadata } = ResourceInput.shape

/** Everything that is wrong with an object, by the schemas the control plane uses; a project that is not named may still be given by -p. */
export function checkObject(kind: KindDeclaration, metadata: unknown, spec: unknown): Violation[] {
  const { name, project } = (metadata ?? {}) as { name?: unknown; project?: unknown }
  const names = typeof name === 'string' ? nameProblems(kind, name) : []
  const misplaced = project === undefined ? null : projectProblem(kind, project)
  return [
    ...violations(Metadata, metadata, ['metadata']),
    ...names.map((detail) => ({ pointer: '/metadata/name', detail })),
    ...(misplaced ? [{ pointer: '/metadata/project', detail: misplaced }] : []),
    ...violations(kind.manifest ?? kind.spec, spec, ['spec']),
  ]
}

function violations(schema: z.ZodType, value: unknown, base: string[]): Violation[] {
  const result = schema.safeParse(value)
  return result.success ? [] : result.error.issues.flatMap((issue) => explain(issue, value, base, schema))
}

function explain(issue: z.core.$ZodIssue, value: unknown, base: PropertyKey[], schema: z.ZodType): Violation[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: pointerOf([...path, key]),
      detail: `is an unknown field${guess(key, fieldsAt(schema, issue.path))}`,
    }))
  if (issue.code === 'invalid_union') {
    // The alternative that fails further inside is the one that was meant.
    const meant = issue.errors.find((branch) => branch.length > 0 && branch.every((one) => one.path.length > 0))
    if (meant) return meant.flatMap((one) => explain(one, valueAt(value, issue.path), path, schema))
    return [{ pointer: pointerOf(path), detail: unionText(issue) }]
  }
  if (issue.code === 'invalid_type' && valueAt(value, issue.path) === undefined) return [{ pointer: pointerOf(path), detail: 'is missing' }]
  if (issue.code === 'invalid_type') return [{ pointer: pointerOf(path), detail: `must be ${withArticle(issue.expected)}` }]
  return [{ pointer: pointerOf(path), detail: issue.message.replace(/^Invalid input: /, '') }]
}

/** The alternatives of a union, each by its first complaint. */
function unionText(issue: z.core.$ZodIssueInvalidUnion): string {
  const parts = issue.errors.map((branch) => branch[0]).filter((one) => one !== undefined)
  const texts = parts.map((one) => (one.code === 'invalid_type' ? `be ${withArticle(one.expected)}` : one.message))
  return texts.length > 0 ? `must ${[...new Set(texts)].join(' or ')}` : issue.message
}

const withArticle = (type: string) =>
  type === 'array' ? 'a list' : type === 'object' || type === 'record' ? 'a map' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  let current = value
  for (const step of path)
    current = typeof current === 'object' && current !== null ? (current as Record<PropertyKey, unknown>)[step] : undefined
  return current
}

function guess(key: string, fields: string[]): string {
  const best = nearest(key, fields)
  return best ? `; did you mean ${best}?` : ''
}

/** Names of the fields of the object schema at a path; none where the schema is not a plain object. */
function fieldsAt(schema: z.ZodType, path: PropertyKey[]): string[] {
  let current: unknown = schema
  for (const step of path) {
    const { shape, element } = unwrapped(current)
    current = shape ? shape[String(step)] : element
  }
  return Object.keys(unwrapped(current).shape ?? {})
}

function unwrapped(schema: unknown): { shape?: Record<string, unknown>; element?: unknown } {
  let current = schema as { shape?: Record<string, unknown>; element?: unknown; unwrap?: () => unknown } | undefined
  while (current && !current.shape && !current.element && typeof current.unwrap === 'function') current = current.unwrap() as typeof current
  return current ?? {}
}
