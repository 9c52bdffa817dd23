import { PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from '../../components/form.tsx'
import { patchJson, postJson, violationOf } from '../../lib/api.ts'
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
  const doing = useMutation({
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
  return (
    <Form doing={doing} action={fixedKey === undefined ? 'Store' : 'Rotate'}>
      {secret === undefined && (
        <TextInput
          label="Name"
          placeholder="github-credentials"
          required
          value={name}
          error={violationOf(doing.error, '/metadata/name')}
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
        error={violationOf(doing.error, '/spec/data')}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
    </Form>
  )
}
