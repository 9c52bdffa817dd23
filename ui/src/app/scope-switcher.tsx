import { Menu, UnstyledButton } from '@mantine/core'
import type { Tenancy } from '@mcpg/proto/rest/tenancy'
import { IconCheck, IconSelector } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { getJson } from '../lib/api.ts'
import { workspacePath } from '../lib/paths.ts'
import { useScope, writeScope, type Scope } from '../lib/scope.ts'
import styles from './scope-switcher.module.css'

/** Organization, workspace and environment, as `config use-context` in the CLI; the choice stands in the URL. */
export function ScopeSwitcher() {
  const scope = useScope()
  const navigate = useNavigate()
  const [opened, setOpened] = useState(false)
  const orgs = useNames('/v1/orgs', opened)
  const workspaces = useNames(`/v1/orgs/${encodeURIComponent(scope.org)}/workspaces`, opened)
  const environments = useNames(`${workspacePath(scope)}/environments`, opened)
  const go = (next: Scope) => void navigate({ pathname: '/', search: writeScope(next).toString() })
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-start" width={240} shadow="md">
      <Menu.Target>
        <UnstyledButton
          className={styles.target}
          aria-label={`Scope: ${scope.org} / ${scope.workspace} / ${scope.environment ?? 'all environments'}`}
        >
          <span>{scope.org}</span>
          <i>/</i>
          <span>{scope.workspace}</span>
          <i>/</i>
          <b>{scope.environment ?? 'all environments'}</b>
          <IconSelector size={15} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Group
          label="Organization"
          names={orgs}
          chosen={scope.org}
          onChoose={(org) => go({ org, workspace: 'default', environment: undefined })}
        />
        <Group
          label="Workspace"
          names={workspaces}
          chosen={scope.workspace}
          onChoose={(workspace) => go({ ...scope, workspace, environment: undefined })}
        />
        <Menu.Label>Environment</Menu.Label>
        <Choice label="All environments" isChosen={!scope.environment} onChoose={() => go({ ...scope, environment: undefined })} />
        {environments.map((name) => (
          <Choice key={name} label={name} isChosen={scope.environment === name} onChoose={() => go({ ...scope, environment: name })} />
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Group({ label, names, chosen, onChoose }: { label: string; names: string[]; chosen: string; onChoose: (name: string) => void }) {
  const all = names.includes(chosen) ? names : [chosen, ...names]
  return (
    <>
      <Menu.Label>{label}</Menu.Label>
      {all.map((name) => (
        <Choice key={name} label={name} isChosen={name === chosen} onChoose={() => onChoose(name)} />
      ))}
    </>
  )
}

function Choice({ label, isChosen, onChoose }: { label: string; isChosen: boolean; onChoose: () => void }) {
  return (
    <Menu.Item onClick={onChoose} rightSection={isChosen ? <IconCheck size={15} aria-label="chosen" /> : null}>
      {label}
    </Menu.Item>
  )
}

/** Names of a list; empty while it is not there, so that the switcher always shows at least where one is. */
function useNames(path: string, isWanted: boolean): string[] {
  const { data } = useQuery({
    queryKey: ['names', path],
    queryFn: ({ signal }) => getJson<{ items?: Tenancy[] }>(`${path}?limit=500`, signal),
    enabled: isWanted,
    staleTime: 10_000,
  })
  return (data?.items ?? []).map((one) => one.name)
}
