import { Button, Tooltip, type ButtonProps } from '@mantine/core'
import { useEffect } from 'react'
import { useMay } from '../lib/rights.ts'
import { useScope } from '../lib/scope.ts'
import { serverActionCommand, useServerAction, type ServerAction } from '../lib/server-actions.ts'

type ServerActionButton = { server: string; action: ServerAction; onError: (error: Error | null) => void; isDisabled?: boolean } & Pick<
  ButtonProps,
  'size' | 'variant'
>

/** One verb of one server, for whoever may. The command that does the same stands in its tooltip. */
export function ServerActionButton({ server, action, onError, isDisabled = false, size, variant = 'default' }: ServerActionButton) {
  const { mutate, isPending, isSuccess, reset } = useServerAction(server)
  const mayRun = useMay({ verb: 'run', kind: 'servers', name: server }, useScope())
  useEffect(() => {
    if (!isSuccess) return
    const timer = setTimeout(reset, 2500)
    return () => clearTimeout(timer)
  }, [isSuccess, reset])
  if (!mayRun) return null
  const run = () => {
    onError(null)
    mutate(action, { onError })
  }
  return (
    <Tooltip label={serverActionCommand(server, action)}>
      <Button variant={variant} {...(size ? { size } : {})} loading={isPending} disabled={isDisabled} onClick={run}>
        {isSuccess ? done[action] : label[action]}
      </Button>
    </Tooltip>
  )
}

const label: Record<ServerAction, string> = { start: 'Start', stop: 'Stop', restart: 'Restart', retry: 'Restart --retry' }
const done: Record<ServerAction, string> = {
  start: 'Asked to start',
  stop: 'Asked to stop',
  restart: 'Asked to restart',
  retry: 'Hold lifted',
}
