import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Confirmation } from '../../components/form.tsx'
import { deleteObject } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import { orgPath } from './use-objects.ts'

/** Deletes a binding: what it gave is gone with the next request of whoever had it. */
export function Taking({ scope, name, onClose }: { scope: Scope; name: string; onClose: () => void }) {
  const queries = useQueryClient()
  const path = orgPath(scope, 'rolebindings')
  const doing = useMutation({
    mutationFn: () => deleteObject(`${path}/${encodeURIComponent(name)}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['objects', path] })
      onClose()
    },
  })
  return (
    <Confirmation doing={doing} action="Take it away" onKeep={onClose}>
      <p>What this binding gives is gone with the next request of whoever has it.</p>
    </Confirmation>
  )
}
