import { Button } from '@mantine/core'
import type { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { CodeBlock } from '../../components/code-block.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { ConfigDiffView } from './config-diff.tsx'
import styles from './rollback-dialog.module.css'
import { useRollback } from './use-configs.ts'

/** Asks before it goes back, and says what that means: the gateway stays there until somebody resumes it. */
export function RollbackDialog({ gateway, entry, onClose }: { gateway: GatewayView; entry: GatewayConfigEntry; onClose: () => void }) {
  const { mutate, isPending, error } = useRollback(gateway)
  const { name, config } = gateway
  const hasFailed = entry.state === 'rejected' || entry.state === 'rolled_back'
  return (
    <Dialog title={`Roll ${name} back to generation ${entry.generation}?`} onClose={onClose}>
      <PageStack>
        <div className={styles.words}>
          <p>
            It gets the config of <Since at={entry.createdAt} /> again, and is <b>pinned</b> to it: no change of any server reaches {name}{' '}
            until somebody resumes it.
          </p>
          {hasFailed && <p className={styles.warning}>This config failed here before. It is tried again because you say so.</p>}
        </div>
        {config.desired && (
          <div className={styles.diff}>
            <p>What changes on {name}:</p>
            <ConfigDiffView gateway={gateway} from={config.desired.generation} to={entry.generation} />
          </div>
        )}
        <CodeBlock text={`mcpg-ctl rollback gateway/${name} --to ${entry.generation}`} label="The same by command" />
        <ProblemNote error={error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it as it is
          </Button>
          <Button loading={isPending} onClick={() => mutate(entry.generation, { onSuccess: onClose })}>
            Roll back and pin
          </Button>
        </div>
      </PageStack>
    </Dialog>
  )
}
