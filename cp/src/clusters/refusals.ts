import { McpgError } from '@mcpg/proto/errors'
import type { ClusterRow } from './store.ts'

export const wrongState = ({ name, state }: ClusterRow, wanted: string) =>
  new McpgError('failed_precondition', 'cluster_state', `The cluster ${name} is ${state}, not ${wanted}.`, {
    hint: 'mcpg-ctl cluster list',
  })

/** In the audit trail. */
export const targetOf = ({ id, name }: Pick<ClusterRow, 'id' | 'name'>) => ({ kind: 'Cluster', name, uid: id })
