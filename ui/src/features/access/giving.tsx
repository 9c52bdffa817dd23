import { NativeSelect, TextInput } from '@mantine/core'
import { builtInRoleNames } from '@mcpg/proto/built-in-roles'
import type { Subject } from '@mcpg/proto/kinds/role-binding'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from '../../components/form.tsx'
import { postJson } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'
import { orgPath, useObjects } from './use-objects.ts'

const kinds: { value: Subject['kind']; label: string }[] = [
  { value: 'User', label: 'a person, by e-mail' },
  { value: 'Group', label: 'a group' },
  { value: 'ServiceAccount', label: 'a service account' },
]

/** A role for one subject, in the organization or in the workspace of the page. */
export function Giving({ scope, onDone }: { scope: Scope; onDone: () => void }) {
  const queries = useQueryClient()
  const own = useObjects(scope, 'roles')
  const [role, setRole] = useState('viewer')
  const [kind, setKind] = useState<Subject['kind']>('User')
  const [who, setWho] = useState('')
  const [isWhole, setWhole] = useState(false)
  const doing = useMutation({
    mutationFn: () => postJson(orgPath(scope, 'rolebindings'), bindingOf({ role, kind, who: who.trim(), scope, isWhole })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['objects', orgPath(scope, 'rolebindings')] })
      onDone()
    },
  })
  return (
    <Form doing={doing} action="Give it">
      <NativeSelect
        label="Role"
        data={[...builtInRoleNames, ...(own.data ?? []).map(({ metadata }) => metadata.name)]}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value)}
      />
      <NativeSelect label="To" data={kinds} value={kind} onChange={(event) => setKind(event.currentTarget.value as Subject['kind'])} />
      <TextInput label={kind === 'User' ? 'E-mail' : 'Name'} required value={who} onChange={(event) => setWho(event.currentTarget.value)} />
      <NativeSelect
        label="Where"
        data={[
          { value: 'workspace', label: `only in the workspace ${scope.workspace}` },
          { value: 'org', label: `in all of the organization ${scope.org}` },
        ]}
        value={isWhole ? 'org' : 'workspace'}
        onChange={(event) => setWhole(event.currentTarget.value === 'org')}
      />
    </Form>
  )
}

function bindingOf({
  role,
  kind,
  who,
  scope,
  isWhole,
}: {
  role: string
  kind: Subject['kind']
  who: string
  scope: Scope
  isWhole: boolean
}) {
  const name = kind === 'User' ? who.toLowerCase() : who
  const words = [name, role, ...(isWhole ? [] : [scope.workspace])].join('-')
  return {
    kind: 'RoleBinding',
    metadata: {
      name: words
        .replace(/[^-a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 63)
        .replace(/-+$/, ''),
    },
    spec: { role, subjects: [{ kind, name }], ...(isWhole ? {} : { workspace: scope.workspace }) },
  }
}
