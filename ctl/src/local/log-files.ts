import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What this machine has of the own log of `control-plane` or `gateway/<name>`, files and folders of files, without asking anybody. */
export function logFilesOf(stateDir: string, target: string): string[] {
  const gateway = /^(?:gateways?|gw)\/([^/]+)$/i.exec(target)?.[1]
  const logs = join(stateDir, 'logs')
  const files =
    target === 'control-plane'
      ? [join(logs, 'control-plane.log'), join(logs, 'control-plane')]
      : gateway === undefined
        ? []
        : [join(logs, `gateway-${gateway}.log`), join(stateDir, 'gateways', gateway, 'agent-log')]
  return files.filter((file) => existsSync(file))
}
