import { ActionIcon, Button, Menu } from '@mantine/core'
import type { AuthStatus, Me } from '@mcpg/proto/rest/auth'
import { IconDevices, IconKey, IconLogout, IconUserCircle } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { PasswordDialog } from '../features/sign-in/password-dialog.tsx'
import { deleteObject, getJson, postJson } from '../lib/api.ts'

/** Who is signed in, and the way out; nothing where nobody has to sign in. */
export function AccountMenu() {
  const navigate = useNavigate()
  const cache = useQueryClient()
  const { data: me } = useQuery({ queryKey: ['me'], queryFn: ({ signal }) => getJson<Me>('/v1/auth/me', signal) })
  const [isChanging, setChanging] = useState(false)
  const { data: status } = useQuery({
    queryKey: ['auth-status'],
    queryFn: ({ signal }) => getJson<AuthStatus>('/v1/auth/status', signal),
    enabled: me !== undefined && me.kind !== 'local',
  })
  if (!me || me.kind === 'local') return null
  const leave = async (everywhere: boolean) => {
    // A session that is over already is as good as ended.
    await postJson('/v1/auth/logout', { everywhere }).catch(() => {})
    await navigate('/login', { replace: true })
    cache.clear()
  }
  const beMyself = async () => {
    await deleteObject('/v1/auth/impersonate')
    globalThis.location.assign('/')
  }
  return (
    <>
      {me.impersonator && (
        <Button color="orange" size="compact-sm" onClick={() => void beMyself()}>
          {me.impersonator} as {me.subject}: end
        </Button>
      )}
      <Menu position="bottom-end" width={240} shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account: ${me.subject}`}>
            <IconUserCircle size={18} stroke={1.7} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{me.displayName ? `${me.displayName}, ${me.subject}` : me.subject}</Menu.Label>
          {me.platformAdmin && <Menu.Label>platform admin</Menu.Label>}
          {status?.mode === 'local' && (
            <Menu.Item leftSection={<IconKey size={15} aria-hidden />} onClick={() => setChanging(true)}>
              Change password…
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconLogout size={15} aria-hidden />} onClick={() => void leave(false)}>
            Sign out
          </Menu.Item>
          <Menu.Item leftSection={<IconDevices size={15} aria-hidden />} onClick={() => void leave(true)}>
            Sign out everywhere
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isChanging && <PasswordDialog email={me.subject} onClose={() => setChanging(false)} />}
    </>
  )
}
