import { findNumber, listOf, recordOf, textOf } from '../../../lib/objects/reported.ts'
import { formOf, type GroupField } from '../form/field.ts'
import { blockOf, type Block } from './content-block.ts'

/** What a server asks its client for in the middle of a call; `key` is what the answer goes under. */
export type Question = { key: string } & (
  | { kind: 'form'; message: string; form: GroupField }
  | { kind: 'address'; message: string; url: string; host: string } // host is empty for what no browser should open
  | { kind: 'completion'; system: string; messages: { role: string; blocks: Block[] }[]; maxTokens: number | undefined; models: string[] }
  | { kind: 'roots' }
  | { kind: 'unknown'; method: string; params: unknown }
)

export function questionsOf(inputRequests: unknown): Question[] {
  return Object.entries(recordOf(inputRequests)).map(([key, value]) => questionOf(key, recordOf(value)))
}

function questionOf(key: string, request: Record<string, unknown>): Question {
  const method = textOf(request['method'])
  const params = recordOf(request['params'])
  if (method === 'elicitation/create') {
    const message = textOf(params['message'])
    if (params['mode'] !== 'url') return { key, kind: 'form', message, form: formOf(params['requestedSchema']) }
    const url = textOf(params['url'])
    return { key, kind: 'address', message, url, host: hostOf(url) }
  }
  if (method === 'sampling/createMessage')
    return {
      key,
      kind: 'completion',
      system: textOf(params['systemPrompt']),
      messages: listOf(params['messages']).map((one) => {
        const { role, content } = recordOf(one)
        return { role: textOf(role), blocks: (Array.isArray(content) ? content : [content]).map(blockOf) }
      }),
      maxTokens: findNumber(params['maxTokens']),
      models: listOf(recordOf(params['modelPreferences'])['hints']).map((one) => textOf(recordOf(one)['name'])),
    }
  if (method === 'roots/list') return { key, kind: 'roots' }
  return { key, kind: 'unknown', method, params: request['params'] }
}

/** Only the web's own schemes; anything else could start a program. */
function hostOf(url: string): string {
  if (!URL.canParse(url)) return ''
  const { protocol, host } = new URL(url)
  return protocol === 'https:' || protocol === 'http:' ? host : ''
}

/** Answers in the shapes of MCP 2026-07-28. A person stands in for the model, and says so. */
export const answers = {
  accepted: (content: Record<string, unknown>) => ({ action: 'accept', content }),
  visited: () => ({ action: 'accept' }),
  declined: () => ({ action: 'decline' }),
  completion: (text: string) => ({ role: 'assistant', content: { type: 'text', text }, model: 'a person', stopReason: 'endTurn' }),
  noRoots: () => ({ roots: [] }),
}

/** Whether this page can answer at all. */
export const isAnswerable = (questions: Question[]) => questions.length > 0 && questions.every((one) => one.kind !== 'unknown')
