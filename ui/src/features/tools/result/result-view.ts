import { listOf, recordOf, textOf } from '../../../lib/objects/reported.ts'
import { blockOf, type Block } from './content-block.ts'
import { questionsOf, type Question } from './question.ts'

/** A result of tools/call as it is shown; `questions` are there only when the server waits for answers. */
export type ResultView = {
  isError: boolean
  blocks: Block[]
  structured: unknown
  questions: Question[]
  requestState: string | undefined
  meta: Record<string, unknown> | undefined
  whole: Record<string, unknown>
}

export function resultView(whole: Record<string, unknown>): ResultView {
  const isAsking = whole['resultType'] === 'input_required'
  const meta = recordOf(whole['_meta'])
  return {
    isError: whole['isError'] === true,
    blocks: listOf(whole['content']).map(blockOf),
    structured: whole['structuredContent'],
    questions: isAsking ? questionsOf(whole['inputRequests']) : [],
    requestState: isAsking ? textOf(whole['requestState']) || undefined : undefined,
    meta: Object.keys(meta).length > 0 ? meta : undefined,
    whole,
  }
}
