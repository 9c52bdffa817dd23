import type { ConfigProject, ConfigPrompt } from '@mcpg/proto/gateway-config'
import { toolFilter } from '@mcpg/proto/tool-filter'
import { isObject, rpcCodes, type Params } from '../mcp/protocol.ts'
import type { Catalog } from './catalog.ts'
import type { ListKind } from './lists.ts'
import type { Performer } from './perform.ts'
import { countOf, cut, instructionsOf, type View } from './view.ts'

export const projectPath = (name: string): string => `/mcp/projects/${name}`

type Parts = { catalog: Pick<Catalog, 'book'>; request: Performer['request'] }

/** `/mcp/projects/{project}`: its servers, of their tools what its policy shows, and its own prompts. `now` is the project as it stands. */
export function projectView(name: string, now: () => ConfigProject | undefined, { catalog, request }: Parts): View {
  const nothing: ConfigProject = { name, servers: [], prompts: [], gated: false, pipeline: 'default' }
  const project = () => now() ?? nothing
  let filtering: { of: ConfigProject; shows: ReturnType<typeof toolFilter> } | undefined
  const promptOf = (asked: string) => project().prompts.find((one) => one.name === asked)
  return {
    path: projectPath(name),
    isEverything: false,
    state: project,
    includes: (server) => project().servers.some((one) => one.name === server),
    showsTool,
    showsOthers: () => true,
    instructions,
    prompts: {
      list: () => project().prompts.map(({ name: prompt, description }) => ({ name: prompt, ...(description && { description }) })),
      answer: (asked) => {
        const prompt = promptOf(asked)
        return prompt && (() => answerOf(prompt))
      },
      reads: (asked) => promptOf(asked)?.link?.server,
    },
  }

  function showsTool(server: string, tool: string): boolean {
    const of = project()
    if (filtering?.of !== of) filtering = { of, shows: toolFilter(of) }
    return filtering.shows(server, tool)
  }

  /** What the project says itself is never cut; what its servers say has the room that it has everywhere. */
  function instructions(books: Parameters<View['instructions']>[0]): string {
    const { instructions: told, prompt, servers } = project()
    const own = told ?? `The project ${name} serves ${countOf(books)}; tools and prompts are named server__name.`
    const theirs = instructionsOf(books, (server) => servers.find((one) => one.name === server)?.instructions)
    return [own, prompt, cut(theirs.join('\n\n'))].filter((part) => part).join('\n\n')
  }

  async function answerOf({ name: prompt, description, content, link }: ConfigPrompt) {
    if (!link && content === undefined)
      return { error: { code: rpcCodes.internal, message: `The prompt ${prompt} is a link that leads nowhere now.` } }
    const text = link ? await linkedText(prompt, link) : { text: '' }
    if ('error' in text) return text
    const messages = [{ role: 'user', content: { type: 'text', text: [content, link && text.text].filter((part) => part).join('\n\n') } }]
    return { result: { ...(description && { description }), messages } }
  }

  async function linkedText(prompt: string, { server, uri }: NonNullable<ConfigPrompt['link']>) {
    const book = catalog.book(server)
    const failed = (why: string) => ({
      error: { code: rpcCodes.internal, message: `The prompt ${prompt} is a link to ${uri} of the server ${server}: ${why}` },
    })
    if (!book) return failed('that server does not run on this gateway.')
    const outcome = await request(book, 'resources/read', { uri })
    if ('error' in outcome) return failed(outcome.error.message)
    return { text: textOf(outcome.result) }
  }
}

function textOf({ contents }: Params): string {
  const parts = Array.isArray(contents) ? (contents as unknown[]).filter(isObject) : []
  return parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n\n')
}

/** Lists of a project that are others now. */
export function changedLists(before: ConfigProject | undefined, after: ConfigProject | undefined): ListKind[] {
  const differs = (part: (project: ConfigProject) => unknown) =>
    JSON.stringify(before && part(before)) !== JSON.stringify(after && part(after))
  if (differs(({ servers }) => servers.map((one) => one.name))) return ['tools', 'prompts', 'resources', 'resourceTemplates']
  const kinds: ListKind[] = []
  if (differs(({ tools, servers }) => [tools, servers.map((one) => one.tools)])) kinds.push('tools')
  if (differs(({ prompts }) => prompts.map(({ name, description }) => [name, description]))) kinds.push('prompts')
  return kinds
}
