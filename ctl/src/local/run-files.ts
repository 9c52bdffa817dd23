import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSameProcess } from '@mcpg/core/process-identity'
import { controlPlaneRunFile, managedProcessFile, RunFile } from '@mcpg/proto/run-files'

/** `isManaged`: the control plane of this machine started it, and starts it again when it ends. */
export type LocalGateway = RunFile & { name: string; isManaged: boolean }

/** The control plane that runs on this state dir, or null; a leftover of a dead process counts as none. */
export async function findControlPlane(stateDir: string): Promise<RunFile | null> {
  return readLive(join(stateDir, controlPlaneRunFile))
}

/** The gateway agents that run on this state dir. */
export async function listGateways(stateDir: string): Promise<LocalGateway[]> {
  const names = await readdir(join(stateDir, 'run')).catch(() => [])
  const found: LocalGateway[] = []
  for (const file of names.sort()) {
    const name = /^gateway-(.+)\.json$/.exec(file)?.[1]
    const live = name ? await readLive(join(stateDir, 'run', file)) : null
    if (name && live) found.push({ ...live, name, isManaged: existsSync(join(stateDir, managedProcessFile(name))) })
  }
  return found
}

async function readLive(path: string): Promise<RunFile | null> {
  try {
    const file = RunFile.parse(JSON.parse(await readFile(path, 'utf8')))
    return isSameProcess(file.pid, file.startTime) ? file : null
  } catch {
    return null
  }
}
