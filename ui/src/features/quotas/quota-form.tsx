import { TextInput } from '@mantine/core'
import type { PutQuotas, Quota, Quotas } from '@mcpg/proto/rest/quotas'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Form } from '../../components/form.tsx'
import { Note } from '../../components/note.tsx'
import { putJson, violationOf } from '../../lib/api.ts'
import { quotasKey, quotasPath } from '../../lib/quotas.ts'
import { amounts, draftOf, exceededBy, limitsOf, setCommand } from './limits.ts'
import styles from './quotas.module.css'

export type Place = { workspace: string; environment: string }

/** The limits of an organization, or of one of its environments. */
export function QuotaForm({ org, place, quota, onDone }: { org: string; place: Place | null; quota: Quota; onDone: () => void }) {
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(quota.limits))
  const limits = limitsOf(draft)
  const doing = useMutation({
    mutationFn: () =>
      putJson<Quotas>(quotasPath(org), (place ? { environments: [{ ...place, limits }] } : { org: limits }) satisfies PutQuotas),
    onSuccess: (answer) => {
      queries.setQueryData(quotasKey(org), answer)
      onDone()
    },
  })
  const pointer = place ? '/environments/0/limits' : '/org'
  const exceeded = exceededBy(limits, quota.used)
  const command = setCommand(org, place, quota.limits, limits)
  return (
    <Form doing={doing} action="Set">
      <div className={styles.fields}>
        {amounts.map(({ amount, unit, spell }) => (
          <TextInput
            key={amount}
            label={unit}
            description={`${spell(quota.used[amount])} taken`}
            placeholder="not limited"
            type="number"
            step="any"
            value={draft[amount]}
            error={violationOf(doing.error, `${pointer}/${amount}`)}
            onChange={(event) => {
              const { value } = event.currentTarget
              setDraft((before) => ({ ...before, [amount]: value }))
            }}
          />
        ))}
      </div>
      <p className={styles.aside}>
        Empty is not limited, and 0 is none at all.{place && ' An environment never gets more than its organization.'}
      </p>
      {exceeded.length > 0 && (
        <Note tone="amber" title={`More is taken already: ${exceeded.join(', ')}`}>
          <p>What runs goes on; nothing more is provisioned until that is below the limit.</p>
        </Note>
      )}
      {command && <CodeBlock text={command} label="The same by command" />}
    </Form>
  )
}
