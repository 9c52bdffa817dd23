import type { Resource } from '@mcpg/proto/kinds/kind'
import { toolFilter } from '@mcpg/proto/tool-filter'
import { numberOf, recordOf, recordsOf, textOf, textsOf } from './reported.ts'

/** `broken` says why a link leads nowhere. */
export type PromptView = { name: string; description: string; priority: number; content: string; link: string; broken: string }

export type ProjectView = {
  name: string
  description: string
  servers: string[]
  instructions: string
  prompt: string
  /** How many prompts clients find, those that are objects of their own too. */
  promptCount: number
  prompts: PromptView[]
  gateways: { gateway: string; servers: string[]; url: string }[]
  showsTool: (server: string, tool: string) => boolean
}

export function projectView({ metadata, spec, status }: Resource): ProjectView {
  const servers = textsOf(spec['servers'])
  const overrides = recordOf(spec['serverOverrides'])
  const links = new Map(recordsOf(recordOf(status)['links']).map((one) => [textOf(one['prompt']), one]))
  return {
    name: metadata.name,
    description: textOf(spec['description']),
    servers,
    instructions: textOf(spec['instructions']),
    prompt: textOf(spec['prompt']),
    promptCount: recordsOf(recordOf(status)['prompts']).length,
    prompts: recordsOf(spec['prompts']).map((one) => promptOf(textOf(one['name']), one, links.get(textOf(one['name'])))),
    gateways: recordsOf(recordOf(status)['gateways']).map((one) => ({
      gateway: textOf(one['gateway']),
      servers: textsOf(one['servers']),
      url: textOf(one['url']),
    })),
    showsTool: toolFilter({
      tools: policyOf(spec['tools']),
      servers: servers.map((name) => ({ name, tools: policyOf(recordOf(overrides[name])['tools']) })),
    }),
  }
}

export function promptOf(name: string, fields: Record<string, unknown>, health: Record<string, unknown> | undefined): PromptView {
  return {
    name,
    description: textOf(fields['description']),
    priority: numberOf(fields['priority']) || 5,
    content: textOf(fields['content']),
    link: textOf(fields['link']),
    broken: textOf(health?.['message']),
  }
}

/** An empty `allow` allows nothing, a missing one everything. */
function policyOf(value: unknown): { allow?: string[]; deny: string[] } {
  const { allow, deny } = recordOf(value)
  return { ...(Array.isArray(allow) && { allow: textsOf(allow) }), deny: textsOf(deny) }
}
