import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from '../../components/form.tsx'
import { postJson } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import type { Level } from './levels.ts'

/** Makes one where the page is. */
export function Creation({ level, scope, onDone }: { level: Level; scope: Scope; onDone: () => void }) {
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [displayName, setDisplayName] = useState('')
  const path = level.path(scope)
  const doing = useMutation({
    mutationFn: () => postJson(path, { name: name.trim(), ...(displayName.trim() && { displayName: displayName.trim() }) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['names', path] })
      onDone()
    },
  })
  return (
    <Form doing={doing} action="Create">
      <TextInput
        label="Name"
        description="a-z, 0-9 and -, and never changed"
        required
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput label="What people call it" value={displayName} onChange={(event) => setDisplayName(event.currentTarget.value)} />
    </Form>
  )
}
