import { McpgError } from '@mcpg/proto/errors'

/** The first lines of a request, all but the length of its body and the empty line. Throws McpgError `invalid` for what is no header. */
export function requestHead(method: 'GET' | 'POST' | 'DELETE', { host, pathname, search }: URL, headers: Record<string, string>): string {
  return `${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${headerLines(headers)}`
}

export function headerLines(headers: Record<string, string>): string {
  let lines = ''
  for (const name in headers) {
    const value = headers[name]!
    // A line break would begin another header, or another request.
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || !/^[\t\x20-\x7e\x80-\uffff]*$/.test(value))
      throw new McpgError('invalid', 'header', `The header ${JSON.stringify(name)} cannot be sent: it holds characters that no header has.`)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}
