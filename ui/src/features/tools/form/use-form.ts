import { useMemo, useState } from 'react'
import { check, type Violation } from './check.ts'
import { argumentsOf, newDraft, type Draft } from './draft.ts'
import type { GroupField } from './field.ts'

/** What the fields of a form read and write. */
export type Editor = {
  draft: Draft
  change: (update: (draft: Draft) => Draft) => void
  /** What is wrong at a pointer, once somebody has left the field or tried to send. */
  problemAt: (pointer: string) => string | undefined
  leave: (pointer: string) => void
}

export type FormState = {
  editor: Editor
  violations: Violation[]
  args: Record<string, unknown>
  /** True when it may be sent; from then on everything that is wrong is shown. */
  attempt: () => boolean
  wasAttempted: boolean
  replace: (draft: Draft) => void
}

export function useForm(form: GroupField): FormState {
  const [draft, setDraft] = useState(() => newDraft(form))
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [wasAttempted, setAttempted] = useState(false)
  const violations = useMemo(() => check(form, draft), [form, draft])
  const editor: Editor = {
    draft,
    change: setDraft,
    problemAt: (pointer) => (wasAttempted || left.has(pointer) ? violations.find((one) => one.pointer === pointer)?.message : undefined),
    leave: (pointer) => setLeft((before) => (before.has(pointer) ? before : new Set([...before, pointer]))),
  }
  return {
    editor,
    violations,
    args: argumentsOf(form, draft),
    wasAttempted,
    attempt: () => {
      setAttempted(true)
      return violations.length === 0
    },
    replace: (next) => {
      setDraft(next)
      setAttempted(false)
      setLeft(new Set())
    },
  }
}
