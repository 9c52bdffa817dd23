import { exposedName } from '@mcpg/proto/exposed-name'
import type { PathRights } from '@mcpg/proto/path-rights'
import { sha256 } from './catalog.ts'
import type { View } from './view.ts'

/** What of a path somebody sees who may use part of it only. Prompts and resources go with a whole server. */
export function restricted(view: View, rights: PathRights): View {
  const { prompts } = view
  // A prompt must not read out what its reader may not.
  const showsPrompt = (name: string) => {
    const server = prompts.reads(name)
    return server === undefined || rights.server(server)
  }
  return {
    ...view,
    isEverything: false,
    includes: (server) => view.includes(server) && rights.touches(server),
    showsTool: (server, tool) => view.showsTool(server, tool) && rights.tool(server, exposedName(server, tool, sha256)),
    showsOthers: (server) => view.showsOthers(server) && rights.server(server),
    prompts: {
      ...prompts,
      list: () => prompts.list().filter(({ name }) => showsPrompt(String(name))),
      answer: (name) => (showsPrompt(name) ? prompts.answer(name) : undefined),
    },
  }
}
