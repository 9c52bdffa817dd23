import { z } from 'zod'
import { verbs } from '../access.ts'

const Word = z.string().min(1).max(253)

/** Where a right holds, and everything below; empty is the installation. */
export const GrantPlace = z.strictObject({
  org: Word.optional(),
  workspace: Word.optional(),
  environment: Word.optional(),
  project: Word.optional(),
})

export const GrantShape = z.union([
  z.strictObject({ place: GrantPlace, verbs: z.array(z.enum(verbs)).min(1), on: Word, names: z.array(Word).min(1).optional() }),
  z.strictObject({ place: GrantPlace, operations: z.array(Word).min(1) }),
])

/** Either `verb` and `kind` (any word for it), perhaps with the name of an object, or `operation`. */
export const CanIQuery = GrantPlace.extend({
  verb: z.enum(verbs).optional(),
  kind: Word.optional(),
  name: z.string().min(1).max(320).optional(),
  operation: Word.optional(),
})
export type CanIQuery = z.infer<typeof CanIQuery>

/**
 * `only`: without a name, the objects to which the right is limited. `below`: the answer is no there, and yes somewhere further down.
 * `by` is the grant that allows it.
 */
export const CanIAnswer = z.object({
  allowed: z.boolean(),
  subject: z.string(),
  verb: z.enum(verbs).optional(),
  on: z.string().optional(),
  name: z.string().optional(),
  operation: z.string().optional(),
  place: GrantPlace,
  only: z.array(z.string()).optional(),
  below: z.boolean().optional(),
  by: GrantShape.optional(),
})
export type CanIAnswer = z.infer<typeof CanIAnswer>

/** `GET /v1/access/who-may`: the question of can-i, about everybody; without `binding` a platform admin. `through` are groups on the way. */
export const WhoMayAnswer = z.object({
  items: z.array(
    z.object({
      kind: z.enum(['User', 'Group', 'ServiceAccount', 'Claim']),
      name: z.string(),
      binding: z.string().optional(),
      role: z.string().optional(),
      through: z.array(z.string()).optional(),
    }),
  ),
})
export type WhoMayAnswer = z.infer<typeof WhoMayAnswer>

/** `GET /v1/access/rights`: everything that the caller may do. */
export const RightsAnswer = z.object({ subject: z.string(), kind: z.string(), grants: z.array(GrantShape) })
export type RightsAnswer = z.infer<typeof RightsAnswer>
