import type { ReactNode } from 'react'
import { EmptyState } from './empty-state.tsx'
import { Loaded } from './loaded.tsx'
import { PageHead } from './page-head.tsx'

/** Every page of one object: the object, or that it comes, why it does not, or that there is none. */
export function ObjectPage<One>({
  title,
  parent,
  one,
  items,
  error,
  missing,
  gone,
  children,
}: {
  title: string
  parent: { label: string; path: string }
  /** The object, when it is among these. */
  one: One | undefined
  items: readonly unknown[] | undefined
  error: Error | null
  /** Said when it is not. */
  missing: string
  gone: ReactNode
  children: (one: One) => ReactNode
}) {
  if (one !== undefined) return children(one)
  return (
    <>
      <PageHead title={title} parent={parent} />
      <Loaded data={items} error={error}>
        {() => <EmptyState title={missing}>{gone}</EmptyState>}
      </Loaded>
    </>
  )
}
