import { Button } from '@mantine/core'
import type { UseMutationResult } from '@tanstack/react-query'
import type { FormEvent, ReactNode } from 'react'
import { ProblemNote } from './problem-note.tsx'
import { PageStack } from './stack.tsx'

/** What somebody is about to do, as a mutation without an argument. */
type Doing = Pick<UseMutationResult<unknown, Error, void>, 'mutate' | 'isPending' | 'error'>

/** Fields, what went wrong with them, the one button that sends them, and below it what came of it. */
export function Form({ doing, action, children, answer }: { doing: Doing; action: string; children: ReactNode; answer?: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    doing.mutate()
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <PageStack>
        {children}
        <ProblemNote error={doing.error} />
        <div>
          <Button type="submit" loading={doing.isPending}>
            {action}
          </Button>
        </div>
        {answer}
      </PageStack>
    </form>
  )
}

/**
 * Says what would happen, and asks. Without `onKeep` the dialog's own close button is the way out; `isBlocked` while something must be
 * filled in first; `answer` is what to do about a refusal.
 */
export function Confirmation({
  doing,
  action,
  onKeep,
  keep = 'Keep it',
  color,
  isBlocked = false,
  children,
  answer,
}: {
  doing: Doing
  action: string
  onKeep?: () => void
  keep?: string
  color?: string
  isBlocked?: boolean
  children: ReactNode
  answer?: ReactNode
}) {
  return (
    <PageStack>
      {children}
      <ProblemNote error={doing.error} />
      {answer}
      <div>
        {onKeep && (
          <>
            <Button variant="default" onClick={onKeep}>
              {keep}
            </Button>{' '}
          </>
        )}
        <Button {...(color && { color })} loading={doing.isPending} disabled={isBlocked} onClick={() => doing.mutate()}>
          {action}
        </Button>
      </div>
    </PageStack>
  )
}
