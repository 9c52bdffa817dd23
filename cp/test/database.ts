import type { Config } from '../src/config.ts'
import { engineOfRun, newDatabase } from '../src/db/testing.ts'

/** The same settings on the engine that the run is about; SQLite stays in the state dir. */
export async function onEngineOfRun<C extends Pick<Config, 'database'>>(config: C): Promise<{ config: C; remove: () => Promise<void> }> {
  if (engineOfRun === 'sqlite') return { config, remove: async () => {} }
  const { settings, remove } = await newDatabase(engineOfRun)
  return { config: { ...config, database: settings }, remove }
}
