import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import styles from './likely-causes.module.css'

const causes = [
  {
    what: 'The agent cannot reach the control plane',
    how: 'From its machine, this prints “ok”:',
    command: `curl -fsS ${location.origin}/healthz`,
  },
  { what: 'A port is taken, or the state folder is not usable', how: 'Each check comes with its remedy:', command: 'mcpg-ctl doctor' },
  {
    what: 'The installation is enrolled already',
    how: 'Its facts; --re-enroll makes it a new gateway, --name another agent on the same machine:',
    command: 'mcpg-ctl gateway-status',
  },
  { what: 'The token was used or revoked by somebody else', how: 'Who redeemed what, and when:', command: 'mcpg-ctl enroll list' },
  { what: 'The clock of the machine is off by more than 5 minutes', how: 'Compare:', command: 'date -u' },
]

/** Shown when nothing called for a minute: what it usually is, each with the command that tells. */
export function LikelyCauses() {
  return (
    <Card title="Nothing has called yet. Likely causes">
      <ul className={styles.causes}>
        {causes.map(({ what, how, command }) => (
          <li key={command}>
            <div>
              <b>{what}</b>
              <span>{how}</span>
            </div>
            <CodeBlock text={command} label="Command" />
          </li>
        ))}
      </ul>
    </Card>
  )
}
