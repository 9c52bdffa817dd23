import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@mcpg/core/log'
import { firstOf } from './segment.ts'

/**
 * Removes the queues of identities that this gateway had before: nobody takes their events any more, since a chain belongs to its gateway.
 * `folder` has one folder by gateway id and nothing else.
 */
export async function removeAbandoned(folder: string, gatewayId: string, log: Pick<Log, 'warn'>): Promise<void> {
  const found = await readdir(folder).catch(() => [])
  for (const name of found.filter((one) => one.startsWith('gw_') && one !== gatewayId)) {
    const path = join(folder, name)
    try {
      const segments = (await readdir(path)).filter((file) => firstOf(file) !== null).length
      await rm(path, { recursive: true, force: true })
      if (segments > 0) log.warn({ gatewayId: name, segments }, 'audit events of an identity that was given up are gone with it')
    } catch (error) {
      log.warn({ err: error, gatewayId: name }, 'the audit queue of an identity that was given up could not be removed')
    }
  }
}
