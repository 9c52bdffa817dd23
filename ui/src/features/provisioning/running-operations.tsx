import { Link } from 'react-router'
import { Note } from '../../components/note.tsx'
import { plural } from '../../lib/format.ts'
import { useOperations } from '../../lib/operations/use-operations.ts'
import { operationPage } from '../../lib/pages.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import styles from './running-operations.module.css'

/** What is being done with managed gateways of the page's scope; nothing while that is nothing. */
export function RunningOperations() {
  const { org, workspace, environment } = useScope()
  const href = useHref()
  const { items = [] } = useOperations(org, { state: 'running' })
  const here = items.filter((one) => one.workspace === workspace && (!environment || one.environment === environment))
  if (here.length === 0) return null
  return (
    <Note tone="blue" title={`${plural(here.length, 'operation')} under way`}>
      <ul className={styles.list}>
        {here.map(({ id, kind, gateway, phase, step, compensating }) => (
          <li key={id}>
            <Link to={href(operationPage(id))}>
              {kind} {gateway.name}
            </Link>{' '}
            – {compensating ? 'being taken back' : `${phase}: ${step.replaceAll('_', ' ')}`}
          </li>
        ))}
      </ul>
    </Note>
  )
}
