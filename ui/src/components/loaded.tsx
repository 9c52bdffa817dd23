import type { ReactNode } from 'react'
import { Loading } from './loading.tsx'
import { ProblemNote } from './problem-note.tsx'

/** What was asked for, once it is there; until then that it comes, or why it does not. */
export function Loaded<Data>({
  data,
  error,
  label,
  children,
}: {
  data: Data | undefined
  error: Error | null
  label?: string
  children: (data: Data) => ReactNode
}) {
  if (data !== undefined) return children(data)
  return error ? <ProblemNote error={error} /> : <Loading {...(label && { label })} />
}
