import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { deleteObject } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import { onePath, type Level } from './levels.ts'

/** What is not empty is refused by the control plane, which names what is in it. */
export function Deletion({ level, scope, name, onClose }: { level: Level; scope: Scope; name: string; onClose: () => void }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => deleteObject(onePath(level, scope, name)),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['names', level.path(scope)] })
      onClose()
      // The page would go on showing what is gone.
      if (level.isChosen(scope, name)) await navigate('/orgs')
    },
  })
  return (
    <PageStack>
      <p>
        Only an empty {level.noun} is deleted; it holds {level.holds}.
      </p>
      <ProblemNote error={error} />
      <div>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>{' '}
        <Button loading={isPending} onClick={() => mutate()}>
          Delete it
        </Button>
      </div>
    </PageStack>
  )
}
