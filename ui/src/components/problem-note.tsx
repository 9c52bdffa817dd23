import { Button } from '@mantine/core'
import { ApiError } from '../lib/api.ts'
import { Note } from './note.tsx'

/** An error as the API tells it: what, why, the command that helps, and the number to find it in the log. `isQuiet`: nothing has failed. */
export function ProblemNote({ error, onRetry, isQuiet = false }: { error: Error | null; onRetry?: () => void; isQuiet?: boolean }) {
  if (!error) return null
  const api = error instanceof ApiError ? error : undefined
  return (
    <Note
      tone={isQuiet ? 'gray' : 'red'}
      title={error.message}
      isAlert={!isQuiet}
      action={
        onRetry ? (
          <Button variant="default" size="xs" onClick={onRetry}>
            Try again
          </Button>
        ) : null
      }
    >
      {api && api.violations.length > 0 && (
        <ul>
          {api.violations.map((one) => (
            <li key={`${one.pointer} ${one.detail}`}>
              <code>{one.pointer || '/'}</code> {one.detail}
            </li>
          ))}
        </ul>
      )}
      {api?.hint && (
        <p>
          hint: <code>{api.hint}</code>
        </p>
      )}
      {api?.requestId && <p>request-id: {api.requestId}</p>}
    </Note>
  )
}
