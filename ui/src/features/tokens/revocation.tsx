import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { postJson } from '../../lib/api.ts'
import type { TokenView } from '../../lib/objects/token.ts'
import { useScope } from '../../lib/scope.ts'
import { tokensKey, tokensPath } from './use-tokens.ts'

/** Asks once: nothing makes a token work again. */
export function Revocation({ token, onDone }: { token: TokenView; onDone: () => void }) {
  const { org } = useScope()
  const queries = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => postJson(`${tokensPath(org)}/${encodeURIComponent(token.id)}/revoke`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: tokensKey(org) })
      onDone()
    },
  })
  return (
    <PageStack>
      <p>Whatever uses this token is refused from then on, at every connected gateway within a second. Nothing makes it work again.</p>
      <ProblemNote error={error} />
      <div>
        <Button color="red" loading={isPending} onClick={() => mutate()}>
          Revoke for ever
        </Button>
      </div>
    </PageStack>
  )
}
