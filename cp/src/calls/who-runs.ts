import type { Configs } from '../config/service.ts'
import type { Live } from '../gateways/live.ts'

/** What a call wants of a gateway; no servers: any gateway will do. */
export type Wanted = { servers: readonly string[] | null; project: string | undefined }

/**
 * Which gateways have what is called. The config that one applied says so, since it is known the moment it is told; its reports of
 * servers come later, and count for what no such config tells.
 */
export function whoRuns({ configs, live }: { configs: Pick<Configs, 'desired' | 'served'>; live: Pick<Live, 'serversOf'> }) {
  return { runs, isToRun, shortcomings }

  function runs(id: string, { servers }: Wanted): boolean {
    return servers?.some((server) => has(id, server)) ?? true
  }

  function has(id: string, server: string): boolean {
    const served = configs.served(id)
    const isReported = live.serversOf(id).has(server)
    if (!served) return isReported
    // A config that a newer one replaced in its probation may serve on.
    return served.entries.has(server) || (isReported && isDesired(id, server))
  }

  function isDesired(id: string, server: string): boolean {
    return configs.desired(id)?.document.entries.has(server) ?? false
  }

  /** It will, once it has applied its newest config. */
  function isToRun(id: string, { servers }: Wanted): boolean {
    return servers?.some((server) => isDesired(id, server)) ?? false
  }

  /**
   * How much of it a gateway is not known to have now. What it reported last may be older than what it serves, so this only chooses between
   * gateways; the one that is chosen says itself what is the matter.
   */
  function shortcomings(id: string, { servers, project }: Wanted): number {
    if (servers === null) return 0
    const served = configs.served(id)
    const lacksProject = project !== undefined && served !== undefined && !served.projects.has(project)
    const unready = servers.filter((server) => live.serversOf(id).get(server)?.state !== 'ready').length
    return unready + (lacksProject ? servers.length + 1 : 0)
  }
}
