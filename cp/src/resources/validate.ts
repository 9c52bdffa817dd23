import type { z } from 'zod'
import type { Violation } from '@mcpg/proto/errors'
import { nameProblems, projectProblem, ResourceInput, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { invalid } from '../http/problems.ts'
import { escapePointer } from './differ.ts'

/**
 * Everything that is wrong with an object a caller sent, with JSON pointers below `at`. Empty: `input` fits envelope and spec. The
 * input itself is what is stored, never what a schema made of it.
 */
export function violationsOf(kind: KindDeclaration, input: unknown, at = ''): Violation[] {
  const envelope = ResourceInput.safeParse(input)
  const found = envelope.success ? [] : issuesOf(envelope.error, at)
  type Given = { metadata?: { name?: unknown; project?: unknown }; spec?: unknown; kind?: unknown }
  const { metadata, spec, kind: word } = (input ?? {}) as Given
  if (typeof word === 'string' && word.toLowerCase() !== kind.kind.toLowerCase())
    found.push({ pointer: `${at}/kind`, detail: `must be ${kind.kind}` })
  if (typeof metadata?.name === 'string')
    found.push(...nameProblems(kind, metadata.name).map((detail) => ({ pointer: `${at}/metadata/name`, detail })))
  const misplaced = projectProblem(kind, metadata?.project)
  if (misplaced) found.push({ pointer: `${at}/metadata/project`, detail: misplaced })
  if (spec !== undefined && !found.some(({ pointer }) => pointer === `${at}/spec`)) {
    const parsed = kind.spec.safeParse(spec)
    if (!parsed.success) found.push(...issuesOf(parsed.error, `${at}/spec`))
  }
  return found
}

function issuesOf({ issues }: { issues: z.core.$ZodIssue[] }, at: string): Violation[] {
  return issues.flatMap((issue) => {
    const pointer = `${at}${issue.path.map((part) => `/${escapePointer(String(part))}`).join('')}`
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ pointer: `${pointer}/${escapePointer(key)}`, detail: 'is not a field of this object' }))
    if (issue.code === 'invalid_union') {
      // The alternative of the same type is the one that was meant.
      const meant = issue.errors.find((branch) => branch.every((one) => one.code !== 'invalid_type' || one.path.length > 0))
      if (meant) return issuesOf({ issues: meant }, pointer)
    }
    return [{ pointer, detail: issue.message }]
  })
}

/** The object when it is valid, else one error with all violations. */
export function validateObject(kind: KindDeclaration, input: unknown): ResourceInput {
  const violations = violationsOf(kind, input)
  if (violations.length > 0) throw invalid(violations)
  return input as ResourceInput
}
