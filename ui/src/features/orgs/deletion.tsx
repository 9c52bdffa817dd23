import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { Confirmation } from '../../components/form.tsx'
import { deleteObject } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import { onePath, type Level } from './levels.ts'

/** What is not empty is refused by the control plane, which names what is in it. */
export function Deletion({ level, scope, name, onClose }: { level: Level; scope: Scope; name: string; onClose: () => void }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const doing = useMutation({
    mutationFn: () => deleteObject(onePath(level, scope, name)),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['names', level.path(scope)] })
      onClose()
      // The page would go on showing what is gone.
      if (level.isChosen(scope, name)) await navigate('/orgs')
    },
  })
  return (
    <Confirmation doing={doing} action="Delete it" onKeep={onClose}>
      <p>
        Only an empty {level.noun} is deleted; it holds {level.holds}.
      </p>
    </Confirmation>
  )
}
