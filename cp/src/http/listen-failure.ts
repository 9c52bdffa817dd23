import { takenBy } from '@mcpg/core/port-holder'
import { McpgError } from '@mcpg/proto/errors'

/** What a listener says when it cannot have its address; names the program that has it where the system tells. */
export function listenFailure(error: unknown, { flag, host, port }: { flag: string; host: string; port: number }): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new McpgError('failed_precondition', 'port_taken', `${host}:${port} is taken${takenBy(port)}.`, {
      hint: `Stop it, or choose another address: ${flag} ${host}:<port>`,
      cause: error,
    })
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new McpgError('failed_precondition', 'cannot_listen', `Cannot listen on ${host}:${port} (${code}).`, {
      hint: `Choose another address: ${flag} 127.0.0.1:<port>`,
      cause: error,
    })
  return error
}
