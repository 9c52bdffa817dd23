import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { McpgError } from '@mcpg/proto/errors'

export const defaultPort = 7845
const lastPort = 7864

/** Listens on the given port, or without one on the first free of 7845-7864. Throws McpgError `conflict` (`port_taken`). */
export async function listenOn(http: Server, host: string, port: number | undefined, preferred = defaultPort): Promise<number> {
  if (port !== undefined) {
    if (await tryListen(http, host, port)) return port
    throw taken(host, port, 'Stop it, or choose another address with --bind.')
  }
  const candidates = [
    preferred,
    ...Array.from({ length: lastPort - defaultPort + 1 }, (_, index) => defaultPort + index).filter((one) => one !== preferred),
  ]
  for (const candidate of candidates) if (await tryListen(http, host, candidate)) return candidate
  throw taken(host, preferred, `All ports up to ${lastPort} are taken; choose one with --bind.`)
}

/** False when somebody else has the port. */
function tryListen(http: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      http.off('listening', onListening)
      if (error.code === 'EADDRINUSE') resolve(false)
      else
        reject(
          new McpgError('failed_precondition', 'cannot_listen', `Cannot listen on ${host}:${port}: ${error.message}.`, { cause: error }),
        )
    }
    const onListening = () => {
      http.off('error', onError)
      resolve(true)
    }
    http.once('error', onError).once('listening', onListening).listen(port, host)
  })
}

function taken(host: string, port: number, hint: string): McpgError {
  const holder = holderOf(port)
  return new McpgError('conflict', 'port_taken', `${host}:${port} is taken${holder === undefined ? '' : ` by ${holder}`}.`, { hint })
}

/** `name (pid)` of who listens on the port, where the system tells. */
export function holderOf(port: number): string | undefined {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)))
    for (const pid of inodes.size > 0 ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []) {
      if (socketsOf(pid).some((inode) => inodes.has(inode))) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
    }
  } catch {
    // No /proc, or it went away while we looked: the port is taken all the same.
  }
  return undefined
}

function listeningInodes(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hex}`))
    .map((columns) => columns[9] ?? '')
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => socketOf(`/proc/${pid}/fd/${fd}`))
  } catch {
    return []
  }
}

/** Its inode; '' for another file, and for one that was closed since it was listed. */
function socketOf(link: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? ''
  } catch {
    return ''
  }
}
