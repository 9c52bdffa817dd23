import { Button } from '@mantine/core'
import type { RevealedSecret } from '@mcpg/proto/kinds/secret'
import { useMutation } from '@tanstack/react-query'
import { CodeBlock } from '../../components/code-block.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { postJson } from '../../lib/api.ts'
import { objectPath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'

/** Shows one value after another click. It lives in this dialog only and is gone with it. */
export function Reveal({ secret, keyName }: { secret: string; keyName: string }) {
  const scope = useScope()
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: () => postJson<RevealedSecret>(objectPath(scope, 'secrets', secret, 'reveal'), { key: keyName }),
    // Not kept anywhere once nobody looks at it.
    gcTime: 0,
  })
  const value = data?.values[0]?.value
  if (value !== undefined) return <CodeBlock label="Value" text={value} isTall />
  return (
    <PageStack>
      <p>The audit trail keeps who has seen the value, and when.</p>
      <ProblemNote error={error} />
      <div>
        <Button loading={isPending} onClick={() => mutate()}>
          Show the value
        </Button>
      </div>
    </PageStack>
  )
}
