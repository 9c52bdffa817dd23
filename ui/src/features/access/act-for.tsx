import { Button } from '@mantine/core'
import type { Me } from '@mcpg/proto/rest/auth'
import { useMutation, useQuery } from '@tanstack/react-query'
import { ProblemNote } from '../../components/problem-note.tsx'
import { getJson, postJson } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'

/** Begins to act for somebody else; the header says so until it is ended there. */
export function ActFor({ scope: { org }, user }: { scope: Scope; user: string }) {
  const { data: me } = useQuery({ queryKey: ['me'], queryFn: ({ signal }) => getJson<Me>('/v1/auth/me', signal) })
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => postJson('/v1/auth/impersonate', { user, org }),
    // Everything that is on the page was somebody else's to see.
    onSuccess: () => globalThis.location.assign('/'),
  })
  if (me?.kind !== 'user' || me.subject === user || me.impersonator) return null
  return (
    <>
      <ProblemNote error={error} />
      <Button variant="default" size="compact-xs" loading={isPending} onClick={() => mutate()} aria-label={`Act as ${user}`}>
        Act as…
      </Button>
    </>
  )
}
