import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { closeLater } from './cleanup.ts'
import { commandOf, environmentOf, type Place } from './programs.ts'

type Answer = { id?: number; result?: Record<string, unknown>; error?: unknown }

/** An AI client that starts `mcpg-ctl mcp` and speaks to it on its standard input and output, on the machine of the gateway. */
export async function bridged(args: string[], { stateDir, env, within }: Place) {
  const child = spawn(...commandOf(['mcp', ...args], within), {
    env: environmentOf({ MCPG_STATE_DIR: stateDir, ...env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let said = ''
  let last = 0
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)))
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  const ended = once(child, 'close').then(() => ({ error: `the bridge has ended: ${said}` }))
  closeLater(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'story', version: '1' } })
  send({ method: 'notifications/initialized' })
  return { request, call: (name: string, fields: Record<string, unknown> = {}) => request('tools/call', { name, arguments: fields }) }

  function send(message: Record<string, unknown>): void {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  async function request(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++last
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    send({ id, method, params })
    const { result, error } = await Promise.race<Answer>([answered, ended])
    waiting.delete(id)
    if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`)
    return result
  }
}
