import type { Resource } from '@mcpg/proto/kinds/kind'
import type { PromptSpec, PromptStatus } from '@mcpg/proto/kinds/prompt'
import type { PromptRequestSpec, PromptRequestStatus } from '@mcpg/proto/kinds/prompt-request'
import { section } from '../section.ts'
import { harmless } from '../table.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { facts, next, text } from './parts.ts'
import type { Related } from './related.ts'

export function promptSections({ metadata, spec, status }: Resource): string[] {
  const { description, content, priority = 5 } = spec as PromptSpec
  const { project = '', name } = metadata
  return [
    ...facts('Prompt', [
      ['Description', description],
      ['Priority', `${priority} of 10`],
      ...linkFacts(spec as PromptSpec, (status as Partial<PromptStatus>).link),
      ['Clients find it', `as ${name}, at /mcp/projects/${project} of the gateways that serve the project`],
    ]),
    ...text('Text', content),
  ]
}

export function promptRequestSections({ metadata, spec, status }: Resource, { other }: Pick<Related, 'other'>): string[] {
  const { description, content = '', priority = 5, reason } = spec as PromptRequestSpec
  const { state, rejectedFor, replaces, link } = status as Partial<PromptRequestStatus>
  const { project = '', name } = metadata
  const before = (other?.spec as PromptSpec | undefined)?.content ?? ''
  const diff = replaces ? unifiedDiff(harmless(before), harmless(content), { before: `prompt/${name}`, after: 'the request' }) : []
  return [
    ...facts('Request', [
      ['State', state === 'rejected' ? `rejected: ${rejectedFor ?? 'no reason given'}` : (state ?? 'open')],
      ['Reason', reason],
      ['Replaces', replaces ? `prompt/${name}` : 'nothing, the prompt would be new'],
      ['Description', description],
      ['Priority', `${priority} of 10`],
      ...linkFacts(spec as PromptSpec, link),
    ]),
    ...text('Text', content),
    ...section('What changes in the text', replaces && content !== '' ? (diff.length > 0 ? diff : ['nothing']) : []),
    ...(state === 'rejected'
      ? next(`mcpg-ctl edit promptrequest ${name} -p ${project}   # proposes it again`)
      : next(
          `mcpg-ctl approve promptrequest ${name} -p ${project}`,
          `mcpg-ctl reject promptrequest ${name} -p ${project} --reason <text>`,
        )),
  ]
}

function linkFacts({ link }: PromptSpec, health: PromptStatus['link']): [string, string | undefined][] {
  if (link === undefined) return []
  return [
    ['Link', link],
    ['Link leads', health && (health.health === 'ok' ? 'to its resource' : `nowhere (${health.health}): ${health.message ?? ''}`)],
  ]
}
