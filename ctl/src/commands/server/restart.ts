import type { Context } from '../../context.ts'
import { act } from './act.ts'

export type RestartOptions = { retry?: boolean; upgrade?: boolean }

export const run = (context: Context, names: string[], { retry, upgrade }: RestartOptions): Promise<void> =>
  act(context, names, 'restart', { ...(retry ? { retry } : {}), ...(upgrade ? { upgrade } : {}) })
