import { adminCluster } from '../../admin-cluster.ts'
import type { Context } from '../../context.ts'

export type DecommissionOptions = { id: string; force?: boolean; keepRunning?: boolean }

export const run = (context: Context, _args: string[], { id, force = false, keepRunning = false }: DecommissionOptions): Promise<void> =>
  adminCluster(context, { word: id, verb: 'decommission', body: { force, keepRunning } })
