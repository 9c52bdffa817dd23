import { Button, PasswordInput, TextInput } from '@mantine/core'
import type { Me } from '@mcpg/proto/rest/auth'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { ProblemNote } from '../../components/problem-note.tsx'
import { postJson } from '../../lib/api.ts'
import styles from './sign-in.module.css'

/** E-mail and password; for the first user also the code that the control plane printed. */
export function PasswordForm({ needsSetup, onSignedIn }: { needsSetup: boolean; onSignedIn: () => void }) {
  const [setupCode, setSetupCode] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useMutation({
    mutationFn: () =>
      needsSetup ? postJson<Me>('/v1/auth/bootstrap', { setupCode, email, password }) : postJson<Me>('/v1/auth/login', { email, password }),
    onSuccess: onSignedIn,
  })
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        signIn.mutate()
      }}
    >
      {needsSetup && (
        <TextInput
          label="Setup code"
          description="The control plane printed it at its start, and keeps it in the file setup-code of its state dir."
          required
          autoComplete="off"
          spellCheck={false}
          value={setupCode}
          onChange={(event) => setSetupCode(event.currentTarget.value)}
        />
      )}
      <TextInput
        label="E-mail"
        type="email"
        required
        autoFocus={!needsSetup}
        autoComplete="username"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        {...(needsSetup ? { description: 'At least 10 characters.' } : {})}
        required
        autoComplete={needsSetup ? 'new-password' : 'current-password'}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <ProblemNote error={signIn.error} />
      <Button type="submit" loading={signIn.isPending}>
        {needsSetup ? 'Create user and sign in' : 'Sign in'}
      </Button>
    </form>
  )
}
