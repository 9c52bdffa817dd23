import { Button } from '@mantine/core'
import { Link } from 'react-router'
import { EmptyState } from '../components/empty-state.tsx'
import { useHref } from '../lib/scope.ts'

export function NotFound() {
  const href = useHref()
  return (
    <EmptyState
      title="There is no such page"
      action={
        <Button component={Link} to={href('/')}>
          Go to the overview
        </Button>
      }
    >
      The address may be of another version of the console.
    </EmptyState>
  )
}
