import type { ConfigServerInput } from '@mcpg/proto/gateway-config'
import type { Timers } from '@mcpg/core/timers'
import { apply, fixture, openSupervisor } from '../../servers/test-servers/open-supervisor.ts'
import type { Params } from '../../mcp/protocol.ts'
import type { EndpointOptions } from '../endpoint.ts'
import { keysIn, startEndpoint, textIn, type RpcAnswer } from '../test-endpoint.ts'

export type Question = { method: string; params: Params }
/** What a client answers; undefined: nothing yet. */
export type Answering = (question: Question) => Params | undefined

export const everythingAsked = { sampling: {}, elicitation: {}, roots: {} }

/** A real endpoint over the real supervisor with one server `asks`. */
export async function startAsking(
  server: Partial<ConfigServerInput> = {},
  timers: Partial<Timers> = {},
  more: Partial<Omit<EndpointOptions, 'timers'>> = {},
) {
  const supervisor = openSupervisor(timers)
  const gateway = await startEndpoint({ timers, servers: supervisor.servers, ...more })
  await apply(supervisor.servers, { name: 'asks', command: fixture('asks'), ...server })
  return { ...gateway, supervisor, session, caller, stop }

  /** A legacy client with capabilities that answers what it is asked; `asked` is all it was asked. */
  async function session(capabilities: Params, answering: Answering = agree, path = '/mcp/servers/asks') {
    const asked: Question[] = []
    const client = await gateway.legacy(path, '2025-11-25', capabilities)
    return { ...client, asked, tool, answers }

    function answers(message: RpcAnswer): void {
      if (message.method === undefined || message.id === undefined) return
      const question = { method: message.method, params: message.params ?? {} }
      asked.push(question)
      const result = answering(question)
      if (result) void client.answer(message.id, result)
    }

    async function tool(name: string, args: Params = {}): Promise<string> {
      const { messages } = await client.send('tools/call', { name, arguments: args }, { onMessage: answers })
      return textIn(messages.at(-1)!)
    }
  }

  /** A modern client with capabilities, told apart from others by its name. */
  function caller(name: string, capabilities: Params = { elicitation: {}, sampling: {} }, path = '/mcp/servers/asks') {
    const meta = {
      'io.modelcontextprotocol/clientCapabilities': capabilities,
      'io.modelcontextprotocol/clientInfo': { name, version: '1' },
    }
    const client = gateway.modern(path)
    return { send, tool, retry, complete, list }

    function send(
      method: string,
      params: Params,
      more: { onMessage?: (message: RpcAnswer) => void; signal?: AbortSignal; meta?: Params } = {},
    ) {
      return client.send(method, params, { ...more, meta: { ...meta, ...more.meta } })
    }

    async function tool(tool: string, args: Params = {}, more: Params = {}): Promise<RpcAnswer> {
      return (await send('tools/call', { name: tool, arguments: args, ...more })).messages.at(-1)!
    }

    /** The same call with the state of its last answer, and answers to what was asked. */
    function retry(parked: RpcAnswer, toolName: string, args: Params, answering: Answering = agree): Promise<RpcAnswer> {
      const inputResponses = Object.fromEntries(
        Object.entries((parked.result?.['inputRequests'] ?? {}) as Record<string, Question>).map(([key, asked]) => [key, answering(asked)]),
      )
      return tool(toolName, args, { inputResponses, requestState: parked.result?.['requestState'] })
    }

    /** As a client of the SDK does: answers until the call is complete. */
    async function complete(toolName: string, args: Params = {}, answering: Answering = agree): Promise<RpcAnswer> {
      let answer = await tool(toolName, args)
      while (answer.result?.['resultType'] === 'input_required') answer = await retry(answer, toolName, args, answering)
      return answer
    }

    async function list(): Promise<string[]> {
      return keysIn((await send('tools/list', {})).messages.at(-1)!, 'tools')
    }
  }

  async function stop(): Promise<void> {
    await gateway.stop()
    await supervisor.close()
  }
}

/** Says yes to everything, naming what was asked. */
export function agree({ method, params }: Question): Params {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///of-the-client' }] }
  if (method === 'elicitation/create') return { action: 'accept', content: { answer: `to ${String(params['message'])}` } }
  return { role: 'assistant', model: 'm', content: { type: 'text', text: `completed ${textOfSampling(params)}` } }
}

function textOfSampling(params: Params): string {
  const [message] = params['messages'] as { content: { text: string } }[]
  return message!.content.text
}
