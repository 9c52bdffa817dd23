import { Button } from '@mantine/core'
import { useState } from 'react'
import { Dialog } from '../../components/dialog.tsx'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { plural } from '../../lib/format.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import styles from './rollback-dialog.module.css'
import { useResume } from './use-configs.ts'

/** That the gateway stands still, since when and by whom; what waits; and the way on. */
export function PinNote({ gateway }: { gateway: GatewayView }) {
  const [asks, setAsks] = useState(false)
  const { pinned } = gateway.config
  if (!pinned) return null
  return (
    <>
      <Note
        tone="amber"
        title={`Pinned to generation ${pinned.generation}`}
        action={
          <Button variant="default" size="xs" onClick={() => setAsks(true)}>
            Resume…
          </Button>
        }
      >
        <p>
          Rolled back by {pinned.by || 'somebody'}, <Since at={pinned.since} />. Nothing newer reaches it until it is resumed.{' '}
          {waitingWords(pinned.waiting)}
        </p>
      </Note>
      {asks && <ResumeDialog gateway={gateway} waiting={pinned.waiting} onClose={() => setAsks(false)} />}
    </>
  )
}

const waitingWords = (waiting: string[]) =>
  waiting.length === 0 ? 'No server waits for that.' : `Waiting: ${waiting.slice(0, 10).join(', ')}${waiting.length > 10 ? ' …' : ''}.`

function ResumeDialog({ gateway, waiting, onClose }: { gateway: GatewayView; waiting: string[]; onClose: () => void }) {
  const { mutate, isPending, error } = useResume(gateway)
  const { name } = gateway
  return (
    <Dialog title={`Resume ${name}?`} onClose={onClose}>
      <PageStack>
        <div className={styles.words}>
          <p>
            It gets what is wanted now
            {waiting.length > 0 ? `: ${plural(waiting.length, 'server')} will change on it (${waiting.join(', ')})` : ''}. A server that
            fails is rolled back by the gateway itself, as always.
          </p>
        </div>
        <ProblemNote error={error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Stay pinned
          </Button>
          <Button loading={isPending} onClick={() => mutate(undefined, { onSuccess: onClose })}>
            Resume
          </Button>
        </div>
      </PageStack>
    </Dialog>
  )
}
