import { Button } from '@mantine/core'
import type { Domain } from '@mcpg/proto/rest/domains'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { ApiError, postJson } from '../../lib/api.ts'
import { domainsKey, domainsPath } from '../../lib/domains.ts'
import { useScope } from '../../lib/scope.ts'
import styles from './verification.module.css'

/** The record that shows whose the domain is, and what name servers answered when it was looked for. */
export function Verification({ domain: { host, state, record }, mayVerify }: { domain: Domain; mayVerify: boolean }) {
  const { org } = useScope()
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () => postJson<Domain>(`${domainsPath(org, host)}/verify`),
    onSuccess: (domain) =>
      queries.setQueryData<Domain[]>(domainsKey(org), (before) => before?.map((one) => (one.host === host ? domain : one))),
  })
  const isVerified = state === 'verified'
  return (
    <Card title="TXT record">
      <PageStack>
        {isVerified && <Note tone="green" title={`${host} is verified: gateways may have this name and every name below it`} />}
        {!isVerified && <p>Make this record where the DNS of {host} is run. It takes a while until name servers know it.</p>}
        <div className={styles.record}>
          <div>
            <span>Type</span>
            <code>{record.type}</code>
          </div>
          <div>
            <span>Name</span>
            <CodeBlock text={record.name} label="Name of the record" />
          </div>
          <div>
            <span>Value</span>
            <CodeBlock text={record.value} label="Value of the record" />
          </div>
        </div>
        {isVerified && <p className={styles.aside}>It is not needed any more: a domain that was verified stays so.</p>}
        {!isVerified && <Answer error={doing.error} askedAt={doing.submittedAt} />}
        {!isVerified && mayVerify && (
          <div>
            <Button loading={doing.isPending} onClick={() => doing.mutate()}>
              Verify now
            </Button>
          </div>
        )}
      </PageStack>
    </Card>
  )
}

/** A record that is not there is no fault of anybody; everything else is. */
function Answer({ error, askedAt }: { error: Error | null; askedAt: number }) {
  if (!error) return null
  if (!(error instanceof ApiError) || error.reason !== 'domain_not_verified') return <ProblemNote error={error} />
  return (
    <div role="status">
      <Note tone="amber" title="Not yet">
        <p>{error.message}</p>
        <p>
          Asked <Since at={askedAt} />. DNS may need minutes after the record was made; ask again then.
        </p>
      </Note>
    </div>
  )
}
