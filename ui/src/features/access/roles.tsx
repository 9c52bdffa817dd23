import type { Resource } from '@mcpg/proto/kinds/kind'
import { ruleText, type BuiltInRoleName } from '@mcpg/proto/built-in-roles'
import type { RoleSpec } from '@mcpg/proto/kinds/role'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import type { Scope } from '../../lib/scope.ts'
import { useObjects } from './use-objects.ts'

type Shown = { name: string; rules: string; isBuiltIn: boolean }

const builtIn: Record<BuiltInRoleName, string> = {
  admin: 'everything, people and roles too',
  editor: 'view, create, edit, delete, run and expose what is worked with; not people and roles',
  viewer: 'view what is worked with; not people and roles',
  runner: 'view and run servers, projects and tools',
}

/** What each role gives; those of the organization behind those that are built in. */
export function Roles({ scope }: { scope: Scope }) {
  const { data = [] } = useObjects(scope, 'roles')
  const rows = [
    ...Object.entries(builtIn).map(([name, rules]) => ({ name, rules, isBuiltIn: true })),
    ...data.map((role) => ({ name: role.metadata.name, rules: rulesOf(role), isBuiltIn: false })),
  ]
  return (
    <Card title="Roles" count={rows.length} isFlush>
      <DataTable isPlain caption="Roles" rows={rows} columns={columns} rowKey={({ name }) => name} empty={null} />
    </Card>
  )
}

const columns: Column<Shown>[] = [
  { key: 'name', header: 'Role', cell: ({ name }) => name },
  { key: 'rules', header: 'Gives', cell: ({ rules }) => rules },
  { key: 'own', header: '', cell: ({ isBuiltIn }) => (isBuiltIn ? 'built in' : '') },
]

const rulesOf = ({ spec }: Resource): string => (spec as RoleSpec).rules.map(ruleText).join('; ')
