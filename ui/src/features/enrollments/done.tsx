import { Button } from '@mantine/core'
import { Link } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { Mark } from '../../components/mark.tsx'
import { plural } from '../../lib/format.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { useHref } from '../../lib/scope.ts'
import styles from './done.module.css'

/** The gateway is here: what it is, and what comes next. */
export function Done({ gateway }: { gateway: GatewayView }) {
  const href = useHref()
  const endpoint = gateway.endpoints[0]
  const facts = [
    gateway.environment,
    [gateway.hostname, gateway.platform].filter(Boolean).join(' '),
    plural(gateway.servers.total, 'server'),
  ].filter(Boolean)
  return (
    <section className={styles.done} aria-label="Done">
      <h2>
        <Mark shape="check" tone="green" size={18} />
        {gateway.name} is online
      </h2>
      <p>{facts.join(' · ')}</p>
      <div className={styles.next}>
        <Button component={Link} to={href(`/gateways/${encodeURIComponent(gateway.name)}`)}>
          Open the gateway
        </Button>
        <Button component={Link} to={href('/servers')} variant="default">
          Add a server
        </Button>
      </div>
      {endpoint && (
        <>
          <p className={styles.connect}>Connect a client:</p>
          <CodeBlock text={`claude mcp add --transport http mcpg ${endpoint}`} label="Command" />
        </>
      )}
    </section>
  )
}
