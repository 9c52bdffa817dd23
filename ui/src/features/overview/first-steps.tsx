import { Button, CloseButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { Mark } from '../../components/mark.tsx'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import type { ServerView } from '../../lib/objects/server.ts'
import { plural } from '../../lib/format.ts'
import { useHref } from '../../lib/scope.ts'
import styles from './first-steps.module.css'

const starter = `mcpg-ctl apply -f - <<'EOF'
servers:
  - name: everything
    package:
      runtime: node
      name: "@modelcontextprotocol/server-everything"
EOF`

/** From nothing to a first tool call. Each step ticks itself; the first open one is unfolded. */
export function FirstSteps({
  gateways,
  servers,
  hasClient,
  onHide,
}: {
  gateways: GatewayView[]
  servers: ServerView[]
  hasClient: boolean
  onHide?: () => void
}) {
  const href = useHref()
  const endpoint = gateways.find((one) => one.connection === 'online')?.endpoints[0] ?? gateways[0]?.endpoints[0]
  const done = [gateways.length > 0, servers.length > 0, hasClient]
  const current = done.indexOf(false)
  return (
    <section className={styles.steps} aria-label="First steps">
      <header>
        <div>
          <h2>From nothing to a first tool call</h2>
          <p>Three steps. Each one ticks itself.</p>
        </div>
        {onHide && <CloseButton aria-label="Hide the first steps" onClick={onHide} />}
      </header>
      <ol>
        <Step
          title="Enroll a gateway"
          done={done[0]! ? `${plural(gateways.length, 'gateway')} enrolled` : undefined}
          isCurrent={current === 0}
          text="A gateway runs your MCP servers on its machine and offers them as one endpoint."
        >
          <Button component={Link} to={href('/enrollments/new')}>
            Enroll a gateway
          </Button>
        </Step>
        <Step
          title="Add a server"
          done={done[1]! ? `${plural(servers.length, 'server')} defined` : undefined}
          isCurrent={current === 1}
          text="Describe it in a manifest; every gateway it is placed on runs it."
        >
          <CodeBlock text={starter} label="Command" />
        </Step>
        <Step
          title="Connect a client"
          done={done[2]! ? 'A client is connected' : undefined}
          isCurrent={current === 2}
          text="Give your AI client the endpoint of the gateway."
        >
          {endpoint ? (
            <>
              <CodeBlock text={`claude mcp add --transport http mcpg ${endpoint}`} label="Command" />
              <p className={styles.hint}>Any MCP client that speaks Streamable HTTP takes the address itself: {endpoint}</p>
            </>
          ) : (
            <p className={styles.hint}>The endpoint appears here once a gateway is online.</p>
          )}
        </Step>
      </ol>
    </section>
  )
}

function Step({
  title,
  text,
  done,
  isCurrent,
  children,
}: {
  title: string
  text: string
  done: string | undefined
  isCurrent: boolean
  children: ReactNode
}) {
  return (
    <li className={styles.step} data-done={done !== undefined || undefined} aria-current={isCurrent ? 'step' : undefined}>
      <span className={styles.tick}>{done === undefined ? null : <Mark shape="check" tone="green" size={15} />}</span>
      <div>
        <h3>{title}</h3>
        <p>{done ?? text}</p>
        {isCurrent && <div className={styles.inside}>{children}</div>}
      </div>
    </li>
  )
}
