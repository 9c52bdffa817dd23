import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { AuditVerification, GatewayChainVerification } from '@mcpg/proto/rest/audit'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { verificationOf } from './trail.ts'

/** Whether anything in the trail was altered or removed, here and in what gateways sent. */
export function ChainState({ org }: { org: string }) {
  const { data, error, isFetching, refetch } = useQuery(verificationOf(org))
  const again = (
    <Button variant="default" size="xs" loading={isFetching} onClick={() => void refetch()}>
      Verify again
    </Button>
  )
  if (error) return <ProblemNote error={error} onRetry={() => void refetch()} />
  if (!data)
    return (
      <Note tone="gray" title="Verifying the chains …">
        <p>Every row is held against its signature.</p>
      </Note>
    )
  const broken = data.gateways.filter(({ ok }) => !ok)
  return (
    <Note
      tone={data.ok ? 'green' : 'red'}
      title={data.ok ? 'Nothing was altered or removed' : 'The trail is not what was written'}
      action={again}
    >
      <p>{ownText(data)}</p>
      {data.problem && <p>{data.problem.detail}</p>}
      {data.gateways.length > 0 && <p>{gatewaysText(data.gateways)}</p>}
      {broken.map(({ gatewayId, gateway, problem }) => (
        <p key={gatewayId}>
          {gateway}: {problem?.detail}
        </p>
      ))}
    </Note>
  )
}

function ownText({ verifiedThrough, rows, unsealed, purged }: AuditVerification): string {
  const parts = [`${rows} rows verified, up to row ${verifiedThrough}`]
  if (unsealed.count > 0) parts.push(`${unsealed.count} not sealed yet`)
  if (purged) parts.push(`${purged.removed} older than ${purged.before.slice(0, 10)} were removed by ${purged.by}`)
  return `${parts.join('; ')}.`
}

function gatewaysText(gateways: GatewayChainVerification[]): string {
  const sum = (part: (one: GatewayChainVerification) => number) => gateways.reduce((total, one) => total + part(one), 0)
  const dropped = sum((one) => one.dropped)
  const words = `${sum(({ rows }) => rows)} events of ${gateways.length} ${gateways.length === 1 ? 'gateway' : 'gateways'} verified`
  return dropped > 0 ? `${words}; ${dropped} were dropped where a queue was full.` : `${words}.`
}
