import { Link } from 'react-router'
import { ApiError } from '../../lib/api.ts'
import { useOperations } from '../../lib/operations/use-operations.ts'
import { operationPage } from '../../lib/pages.ts'
import { useHref, useScope } from '../../lib/scope.ts'

/** The way to the operation that keeps another one from beginning; nothing for any other error. */
export function InProgress({ error, gateway }: { error: Error | null; gateway: string }) {
  return error instanceof ApiError && error.reason === 'operation_in_progress' ? <Running gateway={gateway} /> : null
}

function Running({ gateway }: { gateway: string }) {
  const { org } = useScope()
  const href = useHref()
  const { items = [] } = useOperations(org, { gateway, state: 'running' })
  return items.map(({ id, kind }) => (
    <Link key={id} to={href(operationPage(id))}>
      Watch it: {kind} {gateway}
    </Link>
  ))
}
