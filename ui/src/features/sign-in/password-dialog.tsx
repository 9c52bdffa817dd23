import { Button, PasswordInput } from '@mantine/core'
import type { Me } from '@mcpg/proto/rest/auth'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Dialog } from '../../components/dialog.tsx'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { postJson } from '../../lib/api.ts'
import styles from './sign-in.module.css'

/** Asks for the password of today, too: a browser that was left open is not enough. */
export function PasswordDialog({ email, onClose }: { email: string; onClose: () => void }) {
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const change = useMutation({ mutationFn: () => postJson<Me>('/v1/auth/password', { password, newPassword }) })
  return (
    <Dialog title="Change password" onClose={onClose}>
      {change.isSuccess ? (
        <div className={styles.form}>
          <Note tone="green" title="The password is changed.">
            Every other session of yours has ended.
          </Note>
          <Button onClick={onClose}>Close</Button>
        </div>
      ) : (
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault()
            change.mutate()
          }}
        >
          <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
          <PasswordInput
            label="Password of today"
            required
            autoFocus
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <PasswordInput
            label="New password"
            description="At least 10 characters. Every other session of yours ends."
            required
            autoComplete="new-password"
            value={newPassword}
            onChange={(event) => setNewPassword(event.currentTarget.value)}
          />
          <ProblemNote error={change.error} />
          <Button type="submit" loading={change.isPending}>
            Change password
          </Button>
        </form>
      )}
    </Dialog>
  )
}
