import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { McpgError } from '@mcpg/proto/errors'

/** What a listener says when it cannot have its address; names the program that has it where the system tells. */
export function listenFailure(error: unknown, { flag, host, port }: { flag: string; host: string; port: number }): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    const holder = holderOf(port)
    return new McpgError('failed_precondition', 'port_taken', `${host}:${port} is taken${holder ? ` by ${holder}` : ''}.`, {
      hint: `Stop it, or choose another address: ${flag} ${host}:<port>`,
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new McpgError('failed_precondition', 'cannot_listen', `Cannot listen on ${host}:${port} (${code}).`, {
      hint: `Choose another address: ${flag} 127.0.0.1:<port>`,
      cause: error,
    })
  return error
}

/** `name (pid n)` of the process that listens on a TCP port of this machine; null where /proc does not say. */
export function holderOf(port: number): string | null {
  try {
    const inode = listeningInode(port)
    return inode === null ? null : processWith(`socket:[${inode}]`)
  } catch {
    return null
  }
}

function listeningInode(port: number): string | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of readFileSync(table, 'latin1').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      // Field 3 is the state; 0A is LISTEN.
      if (fields[1]?.endsWith(wanted) && fields[3] === '0A') return fields[9] ?? null
    }
  return null
}

function processWith(socket: string): string | null {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const holds = readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkOrEmpty(`/proc/${pid}/fd/${fd}`) === socket)
      if (holds) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
    } catch {
      // Ended meanwhile, or belongs to somebody else.
    }
  }
  return null
}

function readlinkOrEmpty(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
