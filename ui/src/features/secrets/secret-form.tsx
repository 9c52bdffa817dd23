import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { ApiError, patchJson, postJson } from '../../lib/api.ts'
import { objectPath, workspacePath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'

/**
 * Writes one value: of a new secret, of a new key, or in place of an older one. What was typed leaves with the request and is forgotten;
 * there is no way to read a value back into a field.
 */
export function SecretForm({ secret, fixedKey, onDone }: { secret?: string; fixedKey?: string; onDone: () => void }) {
  const scope = useScope()
  const [name, setName] = useState('')
  const [key, setKey] = useState(fixedKey ?? '')
  const [value, setValue] = useState('')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => {
      const spec = { data: { [key.trim()]: value } }
      return secret === undefined
        ? postJson(`${workspacePath(scope)}/secrets`, { kind: 'Secret', metadata: { name: name.trim() }, spec })
        : patchJson(objectPath(scope, 'secrets', secret), { spec })
    },
    onSuccess: () => {
      setValue('')
      onDone()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    mutate()
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <PageStack>
        {secret === undefined && (
          <TextInput
            label="Name"
            placeholder="github-credentials"
            required
            value={name}
            error={violationOf(error, '/metadata/name')}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        {fixedKey === undefined && (
          <TextInput label="Key" placeholder="token" required value={key} onChange={(event) => setKey(event.currentTarget.value)} />
        )}
        <PasswordInput
          label="Value"
          description="At most 64 KiB; never shown again"
          autoComplete="new-password"
          required
          value={value}
          error={violationOf(error, '/spec/data')}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <ProblemNote error={error} />
        <div>
          <Button type="submit" loading={isPending}>
            {fixedKey === undefined ? 'Store' : 'Rotate'}
          </Button>
        </div>
      </PageStack>
    </form>
  )
}

function violationOf(error: Error | null, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined
  return error.violations.find((one) => one.pointer === field || one.pointer.startsWith(`${field}/`))?.detail
}
