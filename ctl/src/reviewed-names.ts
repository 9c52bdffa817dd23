import { McpgError } from '@mcpg/proto/errors'
import { promptRequestKind } from '@mcpg/proto/kinds/prompt-request'
import { readTargets } from './api/targets.ts'

/** The names of the requests that `approve` and `reject` are about: `promptrequest name…` or `promptrequest/name…`. */
export function reviewedNames(words: string[]): string[] {
  const [target, ...others] = readTargets(words)
  if (target?.kind === promptRequestKind && target.names.length > 0 && others.length === 0) return target.names
  throw new McpgError('invalid', 'usage', 'What is reviewed are prompt requests, by name.', {
    hint: 'mcpg-ctl get promptrequests; mcpg-ctl approve promptrequest <name> -p <project>',
  })
}
