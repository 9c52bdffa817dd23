import { NativeSelect, TextInput } from '@mantine/core'
import { verbs } from '@mcpg/proto/access'
import type { CanIAnswer, WhoMayAnswer } from '@mcpg/proto/rest/access'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Card } from '../../components/card.tsx'
import { Form } from '../../components/form.tsx'
import { getJson } from '../../lib/api.ts'
import type { Scope } from '../../lib/scope.ts'

type Answers = { mine: CanIAnswer; others: WhoMayAnswer | null }

/** "May I?" and "who may?", answered by the control plane as it would decide. */
export function Question({ scope }: { scope: Scope }) {
  const [verb, setVerb] = useState('edit')
  const [kind, setKind] = useState('servers')
  const [name, setName] = useState('')
  const doing = useMutation({ mutationFn: () => ask(scope, { verb, kind, name: name.trim() }) })
  return (
    <Card title="May I, and who may?">
      <Form doing={doing} action="Ask" answer={doing.data && <Answer answers={doing.data} />}>
        <NativeSelect label="Do what" data={[...verbs]} value={verb} onChange={(event) => setVerb(event.currentTarget.value)} />
        <TextInput
          label="To"
          description="a kind, orgs, workspaces, environments or audit"
          required
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
        />
        <TextInput
          label="Only one of them"
          description="its name; empty for all"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </Form>
    </Card>
  )
}

function Answer({ answers: { mine, others } }: { answers: Answers }) {
  const only = mine.only ? `, but only ${mine.only.join(', ')}` : ''
  return (
    <div role="status">
      <p>
        {mine.allowed ? `Yes, you may${only}.` : 'No, you may not.'}
        {mine.below ? ' You may somewhere below.' : ''}
      </p>
      {others === null ? (
        <p>Who else may is only shown to those who may look at role bindings.</p>
      ) : (
        <ul>
          {others.items.map(({ kind, name, binding, role }) => (
            <li key={`${kind}/${name}/${binding ?? ''}`}>
              {name} {binding === undefined ? '(platform admin)' : `by ${role} (${binding})`}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

async function ask(
  { org, workspace, environment }: Scope,
  { verb, kind, name }: { verb: string; kind: string; name: string },
): Promise<Answers> {
  const query = new URLSearchParams({ verb, kind, ...(name && { name }), org, workspace, ...(environment && { environment }) })
  const mine = await getJson<CanIAnswer>(`/v1/access/can-i?${query}`)
  const others = await getJson<WhoMayAnswer>(`/v1/access/who-may?${query}`).catch(() => null)
  return { mine, others }
}
