import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export type PortHolder = { pid: number; command: string }

/** The process that listens on a port, as far as /proc shows it to this user; null elsewhere or when it belongs to another user. */
export function portHolder(port: number): PortHolder | null {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)))
  if (inodes.size === 0) return null
  for (const pid of listing('/proc').filter((name) => /^\d+$/.test(name)))
    for (const fd of listing(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '')?.[1]
      if (inode && inodes.has(inode)) return { pid: Number(pid), command: commandOf(pid) }
    }
  return null
}

/** ` by <program> (pid n)` for the sentence that says an address is taken; '' when nobody knows by whom. */
export function takenBy(port: number): string {
  const holder = portHolder(port)
  return holder ? ` by ${holder.command} (pid ${holder.pid})` : ''
}

function listeningInodes(file: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (attempt(() => readFileSync(file, 'utf8')) ?? '').split('\n').slice(1)
  // Columns: local address, state (0A is LISTEN) and, tenth, the inode.
  return lines
    .map((line) => line.trim().split(/\s+/))
    .flatMap((columns) => (columns[1]?.endsWith(wanted) && columns[3] === '0A' && columns[9] ? [columns[9]] : []))
}

/** Name and first arguments; what follows could be a secret of somebody else. */
function commandOf(pid: string): string {
  const words = (attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0').filter(Boolean)
  return words.slice(0, 3).join(' ').slice(0, 120)
}

const listing = (folder: string): string[] => attempt(() => readdirSync(folder)) ?? []

function attempt<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch {
    return null
  }
}
