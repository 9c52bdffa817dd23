import type { ProjectSpec, ProjectStatus, ToolPolicy } from '@mcpg/proto/kinds/project'
import { section } from '../section.ts'
import { oneLine, pairs, table } from '../table.ts'

/** What a project shows to whom, in place of its spec: servers, policy, prompts, links and where it is served. */
export function projectSections(spec: ProjectSpec, { prompts = [], links = [], gateways = [] }: Partial<ProjectStatus>): string[] {
  const { servers = [], serverOverrides = {}, description = '', instructions = '', prompt = '', proxyModel = 'default', llm, gated } = spec
  const told = [
    ['Description', description],
    ['Instructions', instructions],
    ['Prompt', prompt],
    ['Pipeline', proxyModel],
    ['Model', llm ? [llm.name, llm.model].filter(Boolean).join(' ') : ''],
    ['Gated', gated ? 'yes' : ''],
  ] as const
  const policies = [
    ...policyRows('every server', spec.tools),
    ...Object.entries(serverOverrides).flatMap(([server, override]) => policyRows(server, override.tools)),
  ]
  const broken = new Map(links.map((one) => [one.prompt, one]))
  return [
    ...section('Settings', pairs(told.filter(([, text]) => text !== '').map(([title, text]) => [title, oneLine(text)]))),
    ...section(
      'Servers',
      servers.length === 0
        ? ['none: it is served nowhere']
        : table(
            ['name', 'gateways', 'told instead of its instructions'],
            servers.map((server) => [
              server,
              gateways.flatMap((one) => (one.servers.includes(server) ? [one.gateway] : [])).join(', ') || 'nowhere now',
              oneLine(serverOverrides[server]?.instructions ?? ''),
            ]),
          ),
    ),
    ...section('Tool policy', policies.length === 0 ? ['every tool of its servers'] : table(['of', 'allow', 'deny'], policies)),
    ...section(
      'Prompts',
      prompts.length === 0
        ? []
        : table(
            ['name', 'priority', 'kept in', 'link'],
            prompts.map(({ name, priority, from }) => [
              name,
              String(priority),
              from === 'object' ? `prompt/${name}` : 'the project',
              broken.get(name)?.link ?? '',
            ]),
          ),
    ),
    ...section(
      'Links',
      links.length === 0
        ? []
        : table(
            ['prompt', 'link', 'health', 'message'],
            links.map((one) => [one.prompt, one.link, one.health, one.message ?? '']),
          ),
    ),
    ...section(
      'Gateways',
      gateways.length === 0
        ? ['none: no gateway runs one of its servers']
        : table(
            ['name', 'environment', 'servers', 'url'],
            gateways.map((one) => [one.gateway, one.environment, one.servers.join(', '), one.url ?? '']),
          ),
    ),
  ]
}

function policyRows(of: string, tools: ToolPolicy | undefined): string[][] {
  if (!tools?.allow && !tools?.deny) return []
  return [[of, tools.allow ? tools.allow.join(', ') || 'nothing' : 'everything', (tools.deny ?? []).join(', ')]]
}
