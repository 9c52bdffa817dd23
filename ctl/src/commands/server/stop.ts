import type { Context } from '../../context.ts'
import { act } from './act.ts'

export const run = (context: Context, names: string[]): Promise<void> => act(context, names, 'stop', undefined)
