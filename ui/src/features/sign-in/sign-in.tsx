import { Button } from '@mantine/core'
import type { AuthStatus } from '@mcpg/proto/rest/auth'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { Loading } from '../../components/loading.tsx'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { getJson } from '../../lib/api.ts'
import { useTitle } from '../../lib/title.ts'
import { PasswordForm } from './password-form.tsx'
import styles from './sign-in.module.css'

/** `?returnTo=` is the page that asked for it; `?error=` what went wrong at the issuer. */
export function SignIn() {
  useTitle('Sign in')
  const navigate = useNavigate()
  const cache = useQueryClient()
  const [params] = useSearchParams()
  const returnTo = ownPath(params.get('returnTo'))
  const status = useQuery({
    queryKey: ['auth-status'],
    queryFn: ({ signal }) => getJson<AuthStatus>('/v1/auth/status', signal),
    staleTime: 0,
    gcTime: 0,
  })
  const isOpen = status.data?.mode === 'none'
  const back = () => {
    // What was answered to somebody else, or to nobody, is asked for again.
    cache.clear()
    void navigate(returnTo, { replace: true })
  }
  useEffect(() => {
    if (isOpen) void navigate(returnTo, { replace: true })
  }, [isOpen, navigate, returnTo])
  const error = params.get('error')
  return (
    <main className={styles.page}>
      <p className={styles.brand}>
        <img src="/favicon.svg" alt="" />
        mcpg
      </p>
      <Card title={status.data?.needsSetup ? 'Create the first user' : 'Sign in'}>
        <div className={styles.body}>
          {error && (
            <Note tone="red" title={error} isAlert>
              {params.get('hint')}
            </Note>
          )}
          <ProblemNote error={status.error} onRetry={() => void status.refetch()} />
          {status.isPending && <Loading />}
          {status.data?.mode === 'local' && <PasswordForm needsSetup={status.data.needsSetup} onSignedIn={back} />}
          {status.data?.mode === 'oidc' && (
            <Button component="a" href={`/v1/auth/oidc/start?${new URLSearchParams({ returnTo }).toString()}`}>
              Sign in with {status.data.issuer ? new URL(status.data.issuer.url).host : 'the issuer'}
            </Button>
          )}
        </div>
      </Card>
    </main>
  )
}

/** Only a page of ours: what a stranger wrote into the address must not lead anywhere else. */
function ownPath(path: string | null): string {
  return path !== null && /^\/(?![/\\])/.test(path) && !path.startsWith('/login') ? path : '/'
}
