import type { Context } from '../context.ts'

export type ProgramFlags = Record<string, string | boolean | string[] | undefined>

/** Flags for a program that runs in this process: its own and the global ones that concern it; flags that were not given are absent. */
export function programFlags({ settings, globals }: Context, options: Record<string, unknown>): ProgramFlags {
  const { jsonLogs, logLevel, logFile } = globals
  const own = Object.entries(options).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
  return {
    stateDir: settings.stateDir,
    ...(jsonLogs ? { jsonLogs } : {}),
    ...(logLevel ? { logLevel } : settings.quiet ? { logLevel: 'warn' } : {}),
    ...(logFile ? { logFile } : {}),
    ...(settings.insecurePlaintext ? { insecurePlaintext: true } : {}),
    ...(Object.fromEntries(own) as ProgramFlags),
  }
}
