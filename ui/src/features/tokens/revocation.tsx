import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Confirmation } from '../../components/form.tsx'
import { postJson } from '../../lib/api.ts'
import type { TokenView } from '../../lib/objects/token.ts'
import { useScope } from '../../lib/scope.ts'
import { tokensKey, tokensPath } from './use-tokens.ts'

/** Asks once: nothing makes a token work again. */
export function Revocation({ token, onDone }: { token: TokenView; onDone: () => void }) {
  const { org } = useScope()
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () => postJson(`${tokensPath(org)}/${encodeURIComponent(token.id)}/revoke`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: tokensKey(org) })
      onDone()
    },
  })
  return (
    <Confirmation doing={doing} action="Revoke for ever" color="red">
      <p>Whatever uses this token is refused from then on, at every connected gateway within a second. Nothing makes it work again.</p>
    </Confirmation>
  )
}
