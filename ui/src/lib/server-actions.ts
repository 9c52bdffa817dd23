import { useMutation } from '@tanstack/react-query'
import { postJson } from './api.ts'
import { objectPath } from './paths.ts'
import { useScope } from './scope.ts'

/** `retry` lifts a hold; it is a restart that says so. */
export type ServerAction = 'start' | 'stop' | 'restart' | 'retry'

/** Posts an action of a server. What it did comes by the stream, so nothing is changed here. */
export function useServerAction(server: string) {
  const { org, workspace } = useScope()
  return useMutation({
    mutationFn: (action: ServerAction) =>
      action === 'retry'
        ? postJson(objectPath({ org, workspace }, 'servers', server, 'restart'), { retry: true })
        : postJson(objectPath({ org, workspace }, 'servers', server, action)),
  })
}

/** The same by command. */
export const serverActionCommand = (server: string, action: ServerAction) =>
  action === 'retry' ? `mcpg-ctl server restart ${server} --retry` : `mcpg-ctl server ${action} ${server}`
