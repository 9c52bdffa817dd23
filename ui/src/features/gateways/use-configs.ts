import type { ConfigDiff, GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getJson, postJson } from '../../lib/api.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { gatewayRestPath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'

type Of = Pick<GatewayView, 'name' | 'environment'>

const usePath = ({ name, environment }: Of) => gatewayRestPath(useScope(), environment, name)

/** The history of a gateway, newest first; read anew whenever the stream says that its config moved. */
export function useConfigs(gateway: GatewayView) {
  const path = usePath(gateway)
  const { desired, applied, state, pinned } = gateway.config
  return useQuery({
    queryKey: ['configs', path, desired?.generation, applied?.generation, state, pinned?.generation],
    queryFn: ({ signal }) => getJson<{ items: GatewayConfigEntry[] }>(`${path}/configs`, signal),
    // What was there stays until the new list is.
    placeholderData: (before) => before,
  })
}

/** What leads from one generation to another; both are history, so it never changes. */
export function useConfigDiff(gateway: Of, from: number | undefined, to: number | undefined) {
  const path = usePath(gateway)
  return useQuery({
    queryKey: ['config-diff', path, from, to],
    queryFn: async ({ signal }): Promise<ConfigDiff> => {
      const { diff } = await getJson<GatewayConfigEntry>(`${path}/configs/${to}?diff=${from}`, signal)
      return diff ?? { from: from!, to: to!, servers: [], others: [] }
    },
    enabled: from !== undefined && to !== undefined && from !== to,
  })
}

export function useRollback(gateway: Of) {
  const path = usePath(gateway)
  return useMutation({ mutationFn: (to: number) => postJson(`${path}/rollback`, { to }) })
}

export function useResume(gateway: Of) {
  const path = usePath(gateway)
  return useMutation({ mutationFn: () => postJson(`${path}/resume`) })
}
