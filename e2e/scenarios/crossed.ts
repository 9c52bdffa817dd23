import { Client as ClientV2, StreamableHTTPClientTransport as HttpTransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpTransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { closeLater } from '../harness/cleanup.ts'

/** `legacy` and `modern` are SDK v2 clients, `v1` is the SDK of the legacy era. */
export type Kind = 'v1' | 'legacy' | 'auto' | 'modern'
export type Tally = { kind: Kind; name: string; answered: number; askedOfMe: number; askedOfAnother: number; wrongAnswer: number }
type Asked = { answer: string }

/** A client that can be asked. Everything it is asked goes to `onAsked`, whose word it answers with, by text or form. */
export async function askableClient(url: string, kind: Kind, name: string, onAsked: (question: string) => string, roots?: string[]) {
  const capabilities = { sampling: {}, elicitation: {}, ...(roots && { roots: {} }) }
  const listed = { roots: (roots ?? []).map((uri) => ({ uri })) }
  const info = { name, version: '1' }
  const completed = (question: string) => ({
    role: 'assistant' as const,
    model: 'm',
    content: { type: 'text' as const, text: onAsked(question) },
  })
  const filled = (question: string) => ({ action: 'accept' as const, content: { answer: onAsked(question) } satisfies Asked })
  if (kind === 'v1') {
    const client = new ClientV1(info, { capabilities })
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => completed(textIn(params.messages[0]?.content)))
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => filled(params.message))
    if (roots) client.setRequestHandler(ListRootsRequestSchema, () => listed)
    closeLater(() => client.close())
    await client.connect(new HttpTransportV1(new URL(url)) as Parameters<ClientV1['connect']>[0])
    return client
  }
  const mode = kind === 'modern' ? { pin: '2026-07-28' } : kind
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode } })
  client.setRequestHandler('sampling/createMessage', ({ params }) => completed(textIn(params.messages[0]?.content)))
  client.setRequestHandler('elicitation/create', ({ params }) => filled(params.message))
  if (roots) client.setRequestHandler('roots/list', () => listed)
  closeLater(() => client.close())
  await client.connect(new HttpTransportV2(new URL(url)))
  return client
}

/**
 * Clients of every kind that call at once a server which asks each of them something that only it should be asked: in the call after a
 * random delay, or, the server's fault, after the call has returned. Counts what went wrong and what did not.
 */
export async function askCrosswise({ url, kinds, rounds }: { url: string; kinds: Kind[]; rounds: number }): Promise<Tally[]> {
  return await Promise.all(kinds.map((kind, index) => askOne(url, kind, `${kind}-${index}`, rounds)))
}

async function askOne(url: string, kind: Kind, name: string, rounds: number): Promise<Tally> {
  const tally: Tally = { kind, name, answered: 0, askedOfMe: 0, askedOfAnother: 0, wrongAnswer: 0 }
  const client = await askableClient(url, kind, name, (question) => {
    if (question.startsWith(`${name}:`)) tally.askedOfMe++
    else tally.askedOfAnother++
    return `${name} says`
  })
  for (let round = 0; round < rounds; round++) {
    const text = `${name}:${round}`
    const delay = Math.floor(Math.random() * 4)
    if (round % 3 === 2) await client.callTool({ name: 'late', arguments: { text, delay } })
    const tool = round % 2 === 0 ? 'ask' : 'sample'
    const { content } = (await client.callTool({ name: tool, arguments: { text, delay } })) as { content: unknown[] }
    const answer = textIn(content[0])
    if (answer.includes(`${name} says`) && (tool === 'sample' || answer.includes(`"${text}"`))) tally.answered++
    else tally.wrongAnswer++
  }
  return tally
}

export function textIn(content: unknown): string {
  return (content as { text?: string } | undefined)?.text ?? JSON.stringify(content)
}
