import { InstanceState, ServerState, type ConfigStatus, type ServerStatus } from '@mcpg/proto/gen/types'
import { configFailureWords } from '@mcpg/proto/status-wire'
import type { DocumentEntry } from './compile.ts'

/** A server revision that a gateway refused, with what the gateway says about it. */
export type Refused = { server: string; serverUid: string; subHash: string; reason: string; message: string; evidence: Evidence }

/** What the gateway showed of the instance that failed. */
export type Evidence = { exitCode?: number; lastLogLines?: string[] }

/**
 * The servers to which a refusal is due. Only what is new or changed against the LKG can be the cause: a server that is down and
 * unchanged gates nothing, even where it is listed. Empty when the refusal names nobody.
 */
export function refusedServers(
  status: ConfigStatus,
  candidate: ReadonlyMap<string, DocumentEntry>,
  lkg: ReadonlyMap<string, DocumentEntry>,
): Refused[] {
  const suspects = status.servers.flatMap((server) => {
    const entry = candidate.get(server.name)
    if (!entry?.uid || lkg.get(server.name)?.subHash === entry.subHash) return []
    const about = Buffer.from(server.subHash).toString('hex')
    return about === '' || about === entry.subHash ? [{ server, entry, uid: entry.uid }] : []
  })
  const failed = suspects.filter(({ server }) => server.state === ServerState.FAILED)
  const named = failed.length > 0 ? failed : suspects.filter(({ server }) => server.lastError !== '')
  return named.map(({ server, entry, uid }) => ({ server: entry.name, serverUid: uid, subHash: entry.subHash, ...explain(server, status) }))
}

function explain(server: ServerStatus, status: ConfigStatus): Pick<Refused, 'reason' | 'message' | 'evidence'> {
  const instance = server.instances.find((one) => one.state !== InstanceState.READY && one.reason !== '')
  return {
    reason: instance?.reason ?? configFailureWords.word(status.failureReason) ?? 'Refused',
    message: (instance?.message || server.lastError || status.message || 'The gateway refused it without a reason.').slice(0, 1024),
    evidence: {
      ...(instance?.exitCode !== undefined && { exitCode: instance.exitCode }),
      ...(instance &&
        instance.lastLogLines.length > 0 && { lastLogLines: instance.lastLogLines.slice(-20).map((line) => line.slice(0, 1024)) }),
    },
  }
}
