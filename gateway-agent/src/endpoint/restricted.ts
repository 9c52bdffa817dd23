import { exposedName } from '@mcpg/proto/exposed-name'
import type { PathRights } from '../access/rights.ts'
import { sha256 } from './catalog.ts'
import type { View } from './view.ts'

/** What of a path somebody sees who may use part of it only. Prompts and resources go with a whole server. */
export function restricted(view: View, rights: PathRights): View {
  return {
    ...view,
    isEverything: false,
    includes: (server) => view.includes(server) && rights.touches(server),
    showsTool: (server, tool) => view.showsTool(server, tool) && rights.tool(server, exposedName(server, tool, sha256)),
    showsOthers: (server) => view.showsOthers(server) && rights.server(server),
  }
}
