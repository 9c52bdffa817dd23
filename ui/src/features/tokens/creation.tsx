import { Button, NativeSelect, TextInput } from '@mantine/core'
import type { CreatedToken } from '@mcpg/proto/rest/tokens'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Form } from '../../components/form.tsx'
import { PageStack } from '../../components/stack.tsx'
import { postJson } from '../../lib/api.ts'
import { workspacePath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'
import { tokensKey, tokensPath } from './use-tokens.ts'

const lifetimes = [
  { value: '24h', label: '24 hours' },
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
  { value: 'never', label: 'Without an end' },
]
const mine = 'Me: it may do what I may do in this organization'

/** Makes a token and shows it once: it lives in this dialog only and is gone with it. */
export function Creation({ projects, onDone }: { projects: readonly string[]; onDone: () => void }) {
  const scope = useScope()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [project, setProject] = useState('')
  const [ttl, setTtl] = useState('30d')
  const path = project === '' ? tokensPath(scope.org) : `${workspacePath(scope)}/projects/${encodeURIComponent(project)}/tokens`
  const doing = useMutation({
    mutationFn: () => postJson<CreatedToken>(path, { name: name.trim(), ttl }),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensKey(scope.org) }),
    // Not kept anywhere once nobody looks at it.
    gcTime: 0,
  })
  if (doing.data)
    return (
      <PageStack>
        <p>This is shown once. Keep it where no other program reads it.</p>
        <CodeBlock label="Token" text={doing.data.token} />
        <div>
          <Button onClick={onDone}>Done</Button>
        </div>
      </PageStack>
    )
  return (
    <Form doing={doing} action="Create">
      <TextInput label="Name" description="a-z, 0-9 and -" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <NativeSelect
        label="Who uses it"
        value={project}
        onChange={(event) => setProject(event.currentTarget.value)}
        data={[{ value: '', label: mine }, ...projects.map((one) => ({ value: one, label: `An MCP client of the project ${one}` }))]}
      />
      <NativeSelect label="Lasts" value={ttl} onChange={(event) => setTtl(event.currentTarget.value)} data={lifetimes} />
    </Form>
  )
}
