import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { deleteObject } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import { orgPath } from './use-objects.ts'

/** Deletes a binding: what it gave is gone with the next request of whoever had it. */
export function Taking({ scope, name, onClose }: { scope: Scope; name: string; onClose: () => void }) {
  const queries = useQueryClient()
  const path = orgPath(scope, 'rolebindings')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => deleteObject(`${path}/${encodeURIComponent(name)}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['objects', path] })
      onClose()
    },
  })
  return (
    <PageStack>
      <p>What this binding gives is gone with the next request of whoever has it.</p>
      <ProblemNote error={error} />
      <div>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>{' '}
        <Button loading={isPending} onClick={() => mutate()}>
          Take it away
        </Button>
      </div>
    </PageStack>
  )
}
