import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Env } from '../env.ts'

/** The words that start this program from anywhere: `mcpg-ctl` where PATH has one, else what runs now, by its whole path. */
export function ownProgram({ env, self }: Pick<Env, 'env' | 'self'>): string[] {
  return isOnPath(env['PATH'] ?? env['Path'] ?? '') ? ['mcpg-ctl'] : self
}

function isOnPath(path: string): boolean {
  const names = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'].map((end) => `mcpg-ctl${end}`) : ['mcpg-ctl']
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .some((folder) => names.some((name) => isProgram(join(folder, name))))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
