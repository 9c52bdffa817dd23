import type { AuditEntry } from '@mcpg/proto/rest/audit'
import { CodeBlock } from '../../components/code-block.tsx'
import { Facts } from '../../components/facts.tsx'
import { PageStack } from '../../components/stack.tsx'
import { exactTime } from '../../lib/format.ts'
import styles from './audit.module.css'

/** One entry with everything that is known of it. */
export function EntryFacts({ entry }: { entry: AuditEntry }) {
  const {
    at,
    actor,
    actorName,
    actorKind,
    impersonator,
    verified,
    kind,
    name,
    workspace,
    source,
    gateway,
    session,
    requestId,
    seq,
    hash,
    detail,
  } = entry
  return (
    <PageStack>
      <Facts
        facts={[
          ['When', exactTime(Date.parse(at))],
          [
            'Actor',
            `${actorName === undefined ? '' : `${actorName}: `}${actor} (${actorKind})${impersonator ? `, really ${impersonator}` : ''}`,
          ],
          ...(verified === undefined
            ? []
            : [['Checked', verified ? 'yes, by the gateway' : 'no: nobody is asked to sign in'] as [string, string]]),
          ['Target', [kind, name].filter((word) => word).join(' ')],
          ['Workspace', workspace],
          ...(gateway ? [['Gateway', gateway] as [string, string]] : []),
          // What gateways saw has an address only where nobody was known.
          ...(gateway && !source ? [] : [['Source address', source] as [string, string]]),
          ...(session ? [['Session', session] as [string, string]] : []),
          ['Request', requestId],
          ['Row', seq === undefined ? 'not sealed yet' : String(seq)],
        ]}
      />
      <Digests entry={entry} />
      {detail && <CodeBlock label="Detail" text={JSON.stringify(detail, null, 2)} />}
      {hash && <p className={styles.hash}>Hash {hash}</p>}
    </PageStack>
  )
}

/** What the object was and became, by SHA-256: equal digests are equal objects. */
function Digests({ entry: { beforeDigest, afterDigest } }: { entry: AuditEntry }) {
  if (!beforeDigest && !afterDigest) return null
  return (
    <Facts
      facts={[
        ['Before', <span className={styles.hash}>{beforeDigest ?? 'there was none'}</span>],
        ['After', <span className={styles.hash}>{afterDigest ?? 'there is none'}</span>],
      ]}
    />
  )
}
