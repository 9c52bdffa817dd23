import { adminCluster } from '../../admin-cluster.ts'
import type { Context } from '../../context.ts'

export const run = (context: Context, [word = '']: string[]): Promise<void> => adminCluster(context, { word, verb: 'uncordon' })
