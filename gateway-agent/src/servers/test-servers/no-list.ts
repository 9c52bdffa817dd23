// Opens, claims to have tools, and answers tools/list with an error.
import { createInterface } from 'node:readline'

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line) as { id?: number; method: string }
  if (id === undefined) return
  const opened = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'no-list', version: '1' } }
  const answer = method === 'initialize' ? { result: opened } : { error: { code: -32000, message: 'out of order' } }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
})
